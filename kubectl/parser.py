"""An argparse parser with the habits of kubectl's flags: `--wait=false`, a bare `--dry-run`, flags between names."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any, NoReturn

from kubectl.errors import CliError

TRUE = frozenset({"true", "t", "1", "yes"})
FALSE = frozenset({"false", "f", "0", "no"})


class Formatter(argparse.RawDescriptionHelpFormatter):
    """Wide enough that a flag and its meaning share a line."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=34, width=110)


class Parser(argparse.ArgumentParser):
    """Declare with `flag`, `option` and `add_argument`; read with `parse`."""

    def __init__(self, prog: str, **kwargs: Any) -> None:
        super().__init__(prog=prog, formatter_class=Formatter, allow_abbrev=False, add_help=False, **kwargs)
        self._booleans: set[str] = set()
        self._bare: dict[str, str] = {}

    def flag(self, *names: str, default: bool = False, help: str, group: Any = None) -> None:
        """A boolean: `--name`, `--name=true`, `--name=false`."""
        long = next(name for name in names if name.startswith("--"))
        dest = long[2:].replace("-", "_")
        target = group or self
        self._booleans.update(names)
        target.add_argument(*names, dest=dest, action="store_true", default=default, help=help)
        target.add_argument(
            f"--no-{long[2:]}", dest=dest, action="store_false", default=default, help=argparse.SUPPRESS
        )

    def option(self, *names: str, bare: str | None = None, group: Any = None, **kwargs: Any) -> None:
        """A flag with a value. `bare` is what it means without one (`--dry-run`); then `=` is needed to give one."""
        if bare is not None:
            self._bare.update(dict.fromkeys(names, bare))
        (group or self).add_argument(*names, **kwargs)

    def names(self, help: str, metavar: str = "ARG") -> None:
        """The positional words, kept as `args.names`."""
        self.add_argument("names", nargs="*", metavar=metavar, help=help)

    def parse(self, argv: Sequence[str]) -> argparse.Namespace:
        before, after = _split(list(argv))
        args = self.parse_intermixed_args([self._plain(token) for token in before])
        args.after_dashes = after
        return args

    def _plain(self, token: str) -> str:
        if token in self._bare:
            return f"{token}={self._bare[token]}"
        name, separator, value = token.partition("=")
        if not separator or name not in self._booleans:
            return token
        if value.lower() in TRUE:
            return name
        if value.lower() in FALSE:
            return "--no-" + self._long(name)
        raise CliError(f'invalid argument "{value}" for "{name}" flag: use true or false')

    def _long(self, name: str) -> str:
        action = self._option_string_actions[name]
        return next(option for option in action.option_strings if option.startswith("--"))[2:]

    def error(self, message: str) -> NoReturn:
        raise CliError(f"{_kubectl_wording(message)}\nSee '{self.prog} --help' for usage.")


def _split(argv: list[str]) -> tuple[list[str], list[str]]:
    if "--" not in argv:
        return argv, []
    at = argv.index("--")
    return argv[:at], argv[at + 1 :]


def _kubectl_wording(message: str) -> str:
    unknown = message.removeprefix("unrecognized arguments: ")
    if unknown != message:
        word = unknown.split()[0]
        return f"unknown flag: {word}" if word.startswith("-") else f"unexpected argument: {word}"
    needed = message.removeprefix("the following arguments are required: ")
    if needed != message:
        names = ", ".join(f'"{name.split("/")[-1].removeprefix("--")}"' for name in needed.split(", "))
        return f"required flag(s) {names} not set"
    return message

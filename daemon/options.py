"""A daemon's flags, declared once as a frozen dataclass, readable from the command line and from a YAML file.

    @dataclass(frozen=True)
    class Options(Common):
        node_name: str = option(help="the Node object this kubelet keeps")
        sync_period: Duration = option(Duration(60), help="how often everything is looked at again")

    options = parse(Options, prog="pytheas-kubelet", description="…")

`node_name` is `--node-name` on the command line and `node-name:` in the file that `--config` names. Flags win over the
file, the file over the defaults. An option without default must be given. Of several files the later wins; a file that
names a `kind` is read by the function that the daemon gives for that format.
"""

from __future__ import annotations

import argparse
import dataclasses
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from daemon.duration import Duration

T = TypeVar("T")
_MISSING = dataclasses.MISSING

Kinds = Mapping[str, Any]
"""The type of each option by its name."""
Format = Callable[[Mapping[str, Any], Kinds], Mapping[str, Any]]
"""From a file's content and the options' types to the values of options. Raises ValueError with a sentence."""


def option(default: Any = _MISSING, *, help: str = "", choices: Sequence[str] = (), metavar: str = "") -> Any:
    """A field of an options class. Without a default the flag is required."""
    metadata = {"help": help, "choices": tuple(choices), "metavar": metavar}
    return dataclasses.field(default=default, metadata=metadata, kw_only=True)


@dataclasses.dataclass(frozen=True)
class Common:
    """The flags that every daemon has."""

    log_level: str = option("info", help="how much to log", choices=("debug", "info", "warning", "error"))


def parse(
    cls: type[T],
    prog: str,
    description: str = "",
    argv: Sequence[str] | None = None,
    formats: Mapping[str, Format] = types.MappingProxyType({}),
) -> T:
    """Read `argv` (the process's own by default). Exits with code 2 and a sentence on stderr when it makes no sense.

    Args:
        formats: readers of files of other formats, by the `kind` that such a file names.
    """
    every = dataclasses.fields(cls)  # type: ignore[arg-type]
    fields = {field.name: field for field in every if not field.metadata.get("hidden")}
    kinds = {name: _plain(hint) for name, hint in typing.get_type_hints(cls).items() if name in fields}
    parser = _parser(fields, kinds, prog, description)
    given = vars(parser.parse_args(argv))
    try:
        values: dict[str, Any] = {}
        for file in given.pop("config", ()):
            values |= _allowed(_from_file(file, kinds, formats), fields, file)
        values |= given
    except (OSError, ValueError) as error:
        parser.error(str(error))
    missing = [_flag(name) for name, field in fields.items() if name not in values and field.default is _MISSING]
    if missing:
        parser.error(f"{', '.join(missing)} must be given")
    return cls(**values)


def _parser(
    fields: dict[str, dataclasses.Field[Any]], kinds: dict[str, Any], prog: str, description: str
) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=prog, description=description, allow_abbrev=False)
    parser.add_argument(
        "--config",
        type=Path,
        action="append",
        metavar="FILE",
        default=argparse.SUPPRESS,
        help="a YAML file with these same options as keys (without the leading dashes); flags win over it, and of "
        "several files the last",
    )
    for name, field in fields.items():
        kind, text = kinds[name], field.metadata.get("help", "") + _default_text(field.default)
        if kind is bool:
            action: Any = argparse.BooleanOptionalAction
            parser.add_argument(_flag(name), action=action, default=argparse.SUPPRESS, help=text)
            continue
        parser.add_argument(
            _flag(name),
            type=_reader(kind),
            default=argparse.SUPPRESS,
            choices=field.metadata.get("choices") or None,
            metavar=field.metadata.get("metavar") or (None if field.metadata.get("choices") else _metavar(kind)),
            help=text,
        )
    return parser


def _plain(hint: Any) -> Any:
    """`Path | None` is read as a Path."""
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        return next(arg for arg in typing.get_args(hint) if arg is not types.NoneType)
    return hint


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def _default_text(default: Any) -> str:
    if default is _MISSING:
        return " (required)"
    if default is None or default in ("", ()) or isinstance(default, bool):
        return ""
    shown = ",".join(map(str, default)) if isinstance(default, tuple) else str(default)
    return f" (default: {shown})".replace("%", "%%")


def _metavar(kind: Any) -> str:
    if typing.get_origin(kind) is tuple:
        return "A,B,…"
    return {int: "N", float: "N", Duration: "TIME", Path: "PATH"}.get(kind, "TEXT")


def _reader(kind: Any) -> Callable[[str], Any]:
    if kind is Duration:
        return _duration
    if typing.get_origin(kind) is tuple:
        return _comma_list
    read: Callable[[str], Any] = kind
    return read


def _duration(text: str) -> Duration:
    try:
        return Duration.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _comma_list(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _from_file(path: Path, kinds: Kinds, formats: Mapping[str, Format]) -> Mapping[str, Any]:
    import yaml  # only here: most daemons run without a config file

    try:
        loaded = yaml.safe_load(path.read_text())
    except yaml.YAMLError as error:
        raise ValueError(f"{path} is not YAML: {error}") from error
    if loaded is None:
        return {}
    if not isinstance(loaded, dict):
        raise ValueError(f"{path} must hold a map of options")
    read = formats.get(str(loaded.get("kind")), _own_format)
    try:
        return read(loaded, kinds)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def _allowed(values: Mapping[str, Any], fields: Mapping[str, dataclasses.Field[Any]], file: Path) -> Mapping[str, Any]:
    """The values, if none is outside its option's choices. Raises ValueError."""
    for name, field in fields.items():
        choices = field.metadata.get("choices")
        if choices and values.get(name, choices[0]) not in choices:
            raise ValueError(f"{file}: {_flag(name)} must be one of {', '.join(choices)}, not {values[name]}")
    return values


def _own_format(loaded: Mapping[str, Any], kinds: Kinds) -> Mapping[str, Any]:
    values = {}
    for key, value in loaded.items():
        name = str(key).replace("-", "_")
        if name not in kinds:
            raise ValueError(f"there is no option {key!r}")
        values[name] = from_yaml(kinds[name], value, str(key))
    return values


def from_yaml(kind: Any, value: Any, where: str) -> Any:
    """The value of an option of this type as a file has it. Raises ValueError that begins with `where`."""
    if kind is bool:
        if not isinstance(value, bool):
            raise ValueError(f"{where} must be true or false")
        return value
    if typing.get_origin(kind) is tuple:
        return tuple(map(str, value)) if isinstance(value, list) else _comma_list(str(value))
    if kind is Path and value == "":
        return None
    try:
        return Duration.parse(value) if kind is Duration else kind(value)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{where}: {error}") from None

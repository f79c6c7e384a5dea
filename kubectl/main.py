"""The entry point: find the command, import that one, run it, and turn what goes wrong into a sentence and a code."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence

from kubectl.command import VALUED, Command, build_parser
from kubectl.commands import ALIASES, CLUSTER_COMMANDS, COMMANDS
from kubectl.errors import CliError, Exit


def main(argv: Sequence[str] | None = None) -> int:
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        return _dispatch(words)
    except CliError as problem:
        sys.stdout.flush()
        sys.stderr.write(f"{problem}\n")
        return problem.code
    except Exit as leave:
        return leave.code
    except KeyboardInterrupt:
        sys.stderr.write("\n")
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141


def _dispatch(words: list[str]) -> int:
    positions = command_words(words)
    if not positions:
        return _without_command(words)
    first = words[positions[0]]
    if first in CLUSTER_COMMANDS:
        os.execv(sys.executable, [sys.executable, "-m", "cluster.main", *words[positions[0] :]])
    path, used = _resolve(words, positions)
    rest = [word for index, word in enumerate(words) if index not in used]
    return _run(path, load(path), rest)


def command_words(words: Sequence[str]) -> list[int]:
    """Where the first two words stand that are neither a flag nor the value of a global one."""
    found: list[int] = []
    skip = False
    for index, word in enumerate(words):
        if skip:
            skip = False
        elif word == "--":
            break
        elif word.startswith("-"):
            skip = word in VALUED
        else:
            found.append(index)
            if len(found) == 2:
                break
    return found


def _resolve(words: Sequence[str], positions: Sequence[int]) -> tuple[str, set[int]]:
    first = ALIASES.get(words[positions[0]], words[positions[0]])
    if len(positions) > 1:
        path = f"{first} {ALIASES.get(words[positions[1]], words[positions[1]])}"
        if path in COMMANDS:
            return path, set(positions)
    if first in COMMANDS:
        return first, {positions[0]}
    if any(path.startswith(first + " ") for path in COMMANDS):
        wanted = words[positions[1]] if len(positions) > 1 else ""
        raise _unknown(wanted, first)
    raise _unknown(first, "")


def _unknown(word: str, parent: str) -> CliError:
    from difflib import get_close_matches

    prefix = f"{parent} " if parent else ""
    choices = [path.removeprefix(prefix) for path in COMMANDS if path.startswith(prefix)]
    choices = sorted(
        {choice.split()[0] for choice in choices}
        | ({name for name, summary in CLUSTER_COMMANDS.items() if summary} if not parent else set())
    )
    prog = f"pytheas {parent}".strip()
    if not word:
        return CliError(f"{prog} needs one of: {', '.join(choices)}\nSee '{prog} --help' for usage.")
    close = get_close_matches(word, choices)
    hint = f"\n\nDid you mean this?\n\t{close[0]}" if close else f"\nRun '{prog} --help' for the commands there are."
    return CliError(f'unknown command "{word}" for "{prog}"{hint}')


def _without_command(words: Sequence[str]) -> int:
    from kubectl.help import overview

    if any(word in ("--version",) for word in words):
        return _run("version", load("version"), ["--client"])
    unknown = [word for word in words if word.startswith("-") and word not in ("-h", "--help") and word not in VALUED]
    if unknown and "--help" not in words and "-h" not in words:
        raise CliError(f"unknown flag: {unknown[0]}\nSee 'pytheas --help' for usage.")
    sys.stdout.write(overview())
    return 0


def load(path: str) -> Command:
    command: Command = importlib.import_module(f"kubectl.commands.{COMMANDS[path].module}").COMMAND
    return command


def _run(path: str, command: Command, words: list[str]) -> int:
    parser = build_parser(path, command)
    if _asks_for_help(words):
        sys.stdout.write(parser.format_help())
        return 0
    args = parser.parse(words)
    from kubectl.session import Session

    session = Session(args)
    try:
        code = command.run(session, args)
        session.terminal.flush()
        return code
    except Exception as problem:
        if not _is_status_error(problem):
            raise
        from kubectl.errors import status_message

        session.terminal.complain(status_message(problem))  # type: ignore[arg-type]
        return 1
    finally:
        session.close()


def _asks_for_help(words: Sequence[str]) -> bool:
    before = words[: words.index("--")] if "--" in words else words
    return "-h" in before or "--help" in before


def _is_status_error(problem: Exception) -> bool:
    """Whether it is an api.errors.StatusError, without importing that module for every start."""
    errors = sys.modules.get("api.errors")
    return errors is not None and isinstance(problem, errors.StatusError)


if __name__ == "__main__":
    sys.exit(main())

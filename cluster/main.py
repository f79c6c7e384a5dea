"""`pytheas up` and `pytheas down`: operating the cluster on this machine."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from cluster.layout import Layout, Network, Ports
from cluster.terminal import Failed


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="pytheas", description="Operate a Pytheas cluster on this machine.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    starting = commands.add_parser("up", help="install what is missing, start every daemon, run the sample")
    starting.add_argument("--no-example", dest="example", action="store_false", help="do not apply examples/hello.yaml")
    stopping = commands.add_parser("down", help="stop every daemon and undo what they did to this machine")
    stopping.add_argument("--purge", action="store_true", help="also delete all state, certificates and logs")
    installing = commands.add_parser("packages", help="install the Debian packages that a machine needs")
    installing.add_argument("--tests", action="store_true", help="also those that only the tests need")
    asked = parser.parse_args(argv)
    try:
        _run(asked)
    except Failed as failure:
        print(f"error: {failure}", file=sys.stderr)
        return 1
    return 0


def _run(asked: argparse.Namespace) -> None:
    # Imported by command, so that each starts quickly.
    if asked.command == "down":
        from cluster.down import down

        down(Layout(), Network(), Ports(), purge=asked.purge)
        return
    from cluster import packages
    from cluster.up import install, up

    if asked.command == "up":
        up(Layout(), Network(), Ports(), example=asked.example)
    else:
        install((*packages.NEEDED, *(packages.FOR_TESTS if asked.tests else ())))


if __name__ == "__main__":
    sys.exit(main())

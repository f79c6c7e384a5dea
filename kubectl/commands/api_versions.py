"""`pytheas api-versions`."""

from __future__ import annotations

import argparse

from kubectl.command import Command
from kubectl.session import Session


def run(session: Session, args: argparse.Namespace) -> int:
    for version in sorted({resource.api_version for resource in session.catalog.refresh()}):
        session.terminal.print(version)
    return 0


COMMAND = Command(usage="api-versions [flags]", about="List the API versions that the server serves.", run=run)

"""`pytheas label`."""

from __future__ import annotations

import argparse

from kubectl import changing
from kubectl.command import Command
from kubectl.session import Session

WORDS = changing.Vocabulary("labels", "label", "labeled", "unlabeled", "not labeled")
EXAMPLES = """
  pytheas label node node-1 disk=ssd
  pytheas label pods --all tier=web --overwrite
  pytheas label pod web-1 tier-
"""


def run(session: Session, args: argparse.Namespace) -> int:
    return changing.run(session, args, WORDS)


COMMAND = Command(
    usage="label (TYPE NAME… | TYPE/NAME… | -f FILE) KEY=VALUE… KEY-… [flags]",
    about="Set and remove labels.",
    examples=EXAMPLES,
    arguments=changing.arguments,
    run=run,
)

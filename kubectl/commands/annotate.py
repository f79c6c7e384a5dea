"""`pytheas annotate`."""

from __future__ import annotations

import argparse

from kubectl import changing
from kubectl.command import Command
from kubectl.session import Session

WORDS = changing.Vocabulary("annotations", "annotation", "annotated", "annotated", "annotated")
EXAMPLES = """
  pytheas annotate deploy hello kubernetes.io/change-cause="new colours"
  pytheas annotate pod web-1 note-
"""


def run(session: Session, args: argparse.Namespace) -> int:
    return changing.run(session, args, WORDS)


COMMAND = Command(
    usage="annotate (TYPE NAME… | TYPE/NAME… | -f FILE) KEY=VALUE… KEY-… [flags]",
    about="Set and remove annotations.",
    examples=EXAMPLES,
    arguments=changing.arguments,
    run=run,
)

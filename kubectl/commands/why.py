"""`pytheas why`: the reason that a pod does not run, in a sentence, with what to try."""

from __future__ import annotations

import argparse

from kubectl.command import Command
from kubectl.diagnosis import diagnose
from kubectl.kinds import EVENT
from kubectl.parser import Parser
from kubectl.pods import pods_of, readiness
from kubectl.selection import existing, selector_arguments
from kubectl.server import Object
from kubectl.session import Session

EXAMPLES = """
  pytheas why pod web-1
  pytheas why deploy/hello         its pods that are not ready
  pytheas why pods -l app=hello
"""


def arguments(parser: Parser) -> None:
    parser.names("pod NAME, or TYPE/NAME of what owns pods", "TYPE|NAME")
    selector_arguments(parser, all_namespaces=False)


def run(session: Session, args: argparse.Namespace) -> int:
    if len(args.names) == 1 and "/" not in args.names[0] and not (args.selector or args.field_selector):
        args.names = ["pod", args.names[0]]
    args.any_number = True
    wrong = False
    for item in existing(session, args):
        pods = [item.obj] if item.resource.kind == "Pod" else pods_of(session, item.obj, item.label)
        for pod in pods:
            if len(pods) == 1 or not readiness(pod):
                wrong = _tell(session, pod) or wrong
        if len(pods) > 1 and all(readiness(pod) for pod in pods):
            session.terminal.print(f"{item.label}: all {len(pods)} pods are ready.")
    return 1 if wrong else 0


def _tell(session: Session, pod: Object) -> bool:
    metadata, terminal = pod["metadata"], session.terminal
    query = {"fieldSelector": f"involvedObject.uid={metadata['uid']}"}
    events = session.server.list(EVENT, metadata["namespace"], query).get("items") or []
    findings = diagnose(pod, events)
    if not findings:
        terminal.print(f"{terminal.paint('pod/' + metadata['name'], 'bold')}: it runs and is ready.")
        return False
    terminal.print(f"{terminal.paint('pod/' + metadata['name'], 'bold')}:")
    for finding in findings:
        terminal.print(f"  {finding.text}")
        if finding.hint:
            terminal.print(terminal.paint(f"    → {finding.hint}", "cyan"))
    return True


COMMAND = Command(
    usage="why (pod NAME | TYPE/NAME | pods -l LABELS) [flags]",
    about="Say why pods are pending, failing or not ready, and what to try.",
    examples=EXAMPLES,
    arguments=arguments,
    run=run,
)

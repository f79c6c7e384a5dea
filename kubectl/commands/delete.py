"""`pytheas delete`: by name, label or file; waits until the objects are really gone."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from api.errors import NotFound, StatusError
from kubectl import durations
from kubectl.command import Command
from kubectl.discovery import Resource
from kubectl.errors import CliError, status_message
from kubectl.outcome import DRY_RUNS
from kubectl.parser import Parser
from kubectl.progress import Progress
from kubectl.selection import documents, file_arguments, selector_arguments
from kubectl.session import Session
from kubectl.targets import parse_targets
from kubectl.waiting import Deadline, TimedOut, states

CASCADES = {"background": "Background", "foreground": "Foreground", "orphan": "Orphan"}
EXAMPLES = """
  pytheas delete pod web-1 web-2
  pytheas delete -f examples/hello.yaml
  pytheas delete deploy,svc -l app=hello
  pytheas delete pods --all -n staging
  pytheas delete pod stuck --force --grace-period=0     do not wait for the node
"""


@dataclass(frozen=True)
class Doomed:
    resource: Resource
    namespace: str | None
    name: str
    uid: str = ""
    source: str = ""


def arguments(parser: Parser) -> None:
    parser.names("TYPE NAME…, TYPE/NAME…, or TYPE with -l or --all", "TYPE|NAME")
    file_arguments(parser)
    selector_arguments(parser)
    parser.flag("--all", help="all objects of the type in the namespace")
    parser.flag("--wait", default=True, help="wait until they are gone (--wait=false: don't)")
    parser.add_argument("--timeout", default="0s", metavar="TIME", help="stop waiting after this long; 0: never")
    parser.add_argument("--grace-period", type=int, default=-1, metavar="SECONDS", help="time to end; -1: their own")
    parser.flag("--now", help="a grace period of one second")
    parser.flag("--force", help="remove from the API at once, whether or not the node has stopped it")
    parser.flag("--ignore-not-found", help="no error for what does not exist")
    parser.option(
        "--cascade", bare="background", default="background", metavar="HOW", help="background|foreground|orphan"
    )
    parser.option("--dry-run", bare="client", default="none", metavar="WHERE", help="change nothing: client or server")
    parser.add_argument("-o", "--output", default="", metavar="name", help="print TYPE/NAME only")


def run(session: Session, args: argparse.Namespace) -> int:
    options, grace = _options(args)
    if args.force and options.get("gracePeriodSeconds") == 0:
        session.terminal.complain(
            "Warning: Immediate deletion does not wait for confirmation that the running resource has been terminated. "
            "The resource may continue to run on the cluster indefinitely."
        )
    errors: list[StatusError] = []
    gone: list[Doomed] = []
    for doomed in _chosen(session, args, errors):
        try:
            deleted = _delete(session, args, doomed, options)
        except NotFound as error:
            if not (args.ignore_not_found or args.all or args.selector):
                errors.append(_in_context(error, doomed))
            continue
        except StatusError as error:
            errors.append(_in_context(error, doomed))
            continue
        gone.append(deleted)
        _say(session, args, deleted, grace)
    if not gone and not errors and not args.ignore_not_found:
        session.terminal.print("No resources found")
    if args.wait and args.dry_run == "none" and not (args.force and options.get("gracePeriodSeconds") == 0):
        _wait(session, gone, Deadline(durations.parse(args.timeout)))
    for failure in errors:
        session.terminal.complain(status_message(failure))
    return 1 if errors else 0


def _in_context(error: StatusError, doomed: Doomed) -> StatusError:
    if doomed.source:
        error.message = f'error when deleting "{doomed.source}": {error.message}'
    return error


def _options(args: argparse.Namespace) -> tuple[dict[str, Any], int | None]:
    if args.cascade not in CASCADES:
        raise CliError(f'invalid cascade value ({args.cascade}). Must be "background", "foreground", or "orphan"')
    if args.dry_run not in DRY_RUNS:
        raise CliError(f'Invalid dry-run value ({args.dry_run}). Must be "none", "server", or "client".')
    grace = 1 if args.now else args.grace_period
    if args.now and args.grace_period != -1:
        raise CliError("--now and --grace-period cannot be specified together")
    if args.force and grace < 0:
        grace = 0
    if grace == 0 and not args.force:
        grace = 1  # zero would take the pod from the API while it runs; only --force may
    options: dict[str, Any] = {"propagationPolicy": CASCADES[args.cascade]}
    if grace >= 0:
        options["gracePeriodSeconds"] = grace
    if args.dry_run == "server":
        options["dryRun"] = ["All"]
    return options, grace if grace >= 0 else None


def _chosen(session: Session, args: argparse.Namespace, errors: list[StatusError]) -> Iterator[Doomed]:
    if args.filename:
        for resource, namespace, document in documents(session, args):
            yield Doomed(resource, namespace, document.name, source=document.source)
        return
    targets = parse_targets(args.names, session.catalog)
    if not targets:
        raise CliError(
            "resource(s) were provided, but no name was specified"
            if args.all
            else "You must provide one or more resources by argument or filename."
        )
    for target in targets:
        namespace = session.namespace if target.resource.namespaced else None
        if target.name is not None:
            if args.all or args.selector:
                raise CliError("name cannot be provided when a selector is specified")
            yield Doomed(target.resource, namespace, target.name)
        elif args.all or args.selector or args.field_selector:
            yield from _listed(session, args, target.resource, namespace)
        else:
            raise CliError("resource(s) were provided, but no name was specified")


def _listed(session: Session, args: argparse.Namespace, resource: Resource, namespace: str | None) -> Iterator[Doomed]:
    query = {"labelSelector": args.selector, "fieldSelector": args.field_selector, "limit": 500}
    listed = session.server.list(resource, None if args.all_namespaces else namespace, query)
    for obj in listed.get("items") or ():
        metadata = obj["metadata"]
        yield Doomed(resource, metadata.get("namespace"), metadata["name"], metadata["uid"])


def _delete(session: Session, args: argparse.Namespace, doomed: Doomed, options: dict[str, Any]) -> Doomed:
    """Ask for the deletion; the result knows the uid, so that a namesake made meanwhile is not waited for."""
    if args.dry_run == "client":
        return doomed
    answer = session.server.delete(doomed.resource, doomed.namespace, doomed.name, options)
    uid = (answer.get("details") or {}).get("uid") or (answer.get("metadata") or {}).get("uid") or doomed.uid
    return Doomed(doomed.resource, doomed.namespace, doomed.name, uid)


def _say(session: Session, args: argparse.Namespace, doomed: Doomed, grace: int | None) -> None:
    terminal = session.terminal
    if args.output == "name":
        terminal.print(f"{doomed.resource.prefix}/{doomed.name}")
        return
    verb = "force deleted" if args.force and grace == 0 else "deleted"
    where = f" from {doomed.namespace} namespace" if doomed.namespace else ""
    done = terminal.paint(verb, "red")
    terminal.print(f'{doomed.resource.prefix} "{doomed.name}" {done}{where}{DRY_RUNS[args.dry_run]}')
    terminal.flush()


def _wait(session: Session, gone: list[Doomed], deadline: Deadline) -> None:
    for number, doomed in enumerate(gone):
        text = f"waiting for {doomed.resource.prefix}/{doomed.name} to be gone, {len(gone) - number} left"
        with Progress(session.terminal, text):
            try:
                for state in states(session.server, doomed.resource, doomed.namespace, doomed.name, deadline):
                    if state is None or (doomed.uid and state["metadata"]["uid"] != doomed.uid):
                        break
            except TimedOut as problem:
                raise TimedOut(f"{problem.message} on {doomed.resource.plural}/{doomed.name}") from problem


COMMAND = Command(
    usage="delete (TYPE NAME… | TYPE/NAME… | TYPE -l LABELS | -f FILE) [flags]",
    about="Delete objects, and wait until they are gone.",
    examples=EXAMPLES,
    arguments=arguments,
    run=run,
)

"""`pytheas drain`: cordon a node and move its pods away, through evictions where the server knows them."""

from __future__ import annotations

import argparse
import time

from api.errors import NotFound, TooManyRequests
from kubectl import durations
from kubectl.command import Command
from kubectl.commands.cordon import nodes, set_schedulable
from kubectl.errors import CliError
from kubectl.kinds import POD
from kubectl.parser import Parser
from kubectl.progress import Progress
from kubectl.selection import selector_arguments
from kubectl.server import Object, object_path
from kubectl.session import Session
from kubectl.waiting import Deadline, TimedOut, states

RETRY = 5.0
MIRROR = "kubernetes.io/config.mirror"
EXAMPLES = """
  pytheas drain node-1 --ignore-daemonsets --delete-emptydir-data
  pytheas drain node-1 --force --grace-period=10
"""


def arguments(parser: Parser) -> None:
    parser.names("the node", "NODE")
    selector_arguments(parser, all_namespaces=False, fields=False)
    parser.flag("--force", help="also pods that no controller will make anew")
    parser.flag("--ignore-daemonsets", help="leave the pods of DaemonSets where they are")
    parser.flag("--delete-emptydir-data", help="also pods with an emptyDir, whose data is lost")
    parser.flag("--disable-eviction", help="delete pods instead of evicting them")
    parser.add_argument(
        "--grace-period", type=int, default=-1, metavar="SECONDS", help="time to end; -1: the pods' own"
    )
    parser.add_argument("--timeout", default="0s", metavar="TIME", help="give up after this long; 0: never")
    parser.add_argument("--pod-selector", default="", metavar="LABELS", help="only pods with these labels")


def run(session: Session, args: argparse.Namespace) -> int:
    args.command = "drain"
    deadline = Deadline(durations.parse(args.timeout))
    for node in nodes(session, args):
        name = node["metadata"]["name"]
        set_schedulable(session, node, wanted=False)
        pods, remarks = leaving(_pods(session, args, name), args)
        for remark in remarks:
            session.terminal.complain(f"Warning: {remark}")
        for pod in pods:
            session.terminal.print(f"evicting pod {pod['metadata']['namespace']}/{pod['metadata']['name']}")
            _evict(session, args, pod, deadline)
        for pod in pods:
            _wait(session, pod, deadline)
            session.terminal.print(f"pod/{pod['metadata']['name']} evicted")
        session.terminal.print(f"node/{name} drained")
    return 0


def _pods(session: Session, args: argparse.Namespace, node: str) -> list[Object]:
    query = {"fieldSelector": f"spec.nodeName={node}", "labelSelector": args.pod_selector}
    pods: list[Object] = session.server.list(POD, None, query).get("items") or []
    return pods


def leaving(pods: list[Object], args: argparse.Namespace) -> tuple[list[Object], list[str]]:
    """The pods that go, and what to say of others. Raises CliError, with all reasons, when some may not go."""
    go: list[Object] = []
    remarks: list[str] = []
    refused: list[str] = []
    for pod in pods:
        metadata, label = pod["metadata"], f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
        owner = next((o for o in metadata.get("ownerReferences") or () if o.get("controller")), None)
        finished = (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")
        if MIRROR in (metadata.get("annotations") or {}):
            continue
        if owner and owner["kind"] == "DaemonSet" and not finished:
            (remarks if args.ignore_daemonsets else refused).append(
                f"ignoring DaemonSet-managed Pods: {label}"
                if args.ignore_daemonsets
                else f"cannot delete DaemonSet-managed Pods (use --ignore-daemonsets to ignore): {label}"
            )
            continue
        if not owner and not finished and not args.force:
            refused.append(f"cannot delete Pods that declare no controller (use --force to override): {label}")
        empty_dir = any("emptyDir" in volume for volume in pod["spec"].get("volumes") or ())
        if empty_dir and not finished and not args.delete_emptydir_data:
            refused.append(f"cannot delete Pods with local storage (use --delete-emptydir-data to override): {label}")
        go.append(pod)
    if refused:
        raise CliError("unable to drain node due to error:\n  " + "\n  ".join(refused))
    return go, remarks


def _evict(session: Session, args: argparse.Namespace, pod: Object, deadline: Deadline) -> None:
    metadata = pod["metadata"]
    options = {"gracePeriodSeconds": args.grace_period} if args.grace_period >= 0 else {}
    if args.disable_eviction or not _evictions(session):
        session.server.delete(POD, metadata["namespace"], metadata["name"], options)
        return
    body = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": metadata["name"], "namespace": metadata["namespace"]},
        "deleteOptions": options,
    }
    path = object_path(POD, metadata["namespace"], metadata["name"], "eviction")
    while True:
        try:
            session.server.call("POST", path, None, body)
            return
        except NotFound:
            return
        except TooManyRequests as error:  # a disruption budget: the server says to come back later
            if deadline.over:
                raise TimedOut(f"drain did not complete in time: {error.message}") from error
            session.terminal.complain(
                f"error when evicting pods/{metadata['name']!r} (will retry after 5s): {error.message}"
            )
            time.sleep(RETRY)


def _evictions(session: Session) -> bool:
    pods = session.catalog.of("v1", "Pod")
    return pods is not None and "eviction" in pods.subresources


def _wait(session: Session, pod: Object, deadline: Deadline) -> None:
    metadata = pod["metadata"]
    with Progress(session.terminal, f"waiting for pod/{metadata['name']} to be gone"):
        for state in states(session.server, POD, metadata["namespace"], metadata["name"], deadline):
            if state is None or state["metadata"]["uid"] != metadata["uid"]:
                return


COMMAND = Command(
    usage="drain NODE [flags]",
    about="Empty a node for maintenance: cordon it, and evict its pods.",
    examples=EXAMPLES,
    arguments=arguments,
    run=run,
)

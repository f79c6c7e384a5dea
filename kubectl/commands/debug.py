"""`pytheas debug`: a container beside a pod's own, a copy of a pod to experiment on, a pod on a node."""

from __future__ import annotations

import argparse
import random
from typing import Any

from api.errors import StatusError
from kubectl.command import Command
from kubectl.debugging import PROFILES, Copy, Wish, ephemeral_patch, node_pod, pod_copy
from kubectl.errors import CliError
from kubectl.kinds import POD
from kubectl.parser import Parser
from kubectl.session import Session

EXAMPLES = """
  pytheas debug web-1 -it --image=busybox                      a shell beside the pod's containers
  pytheas debug web-1 -it --image=busybox --target=main        that sees the processes of one of them
  pytheas debug web-1 --copy-to=web-copy --set-image=*=web:2   a copy of the pod with another image
  pytheas debug web-1 -it --copy-to=web-copy -c main -- sh     a copy that runs a shell instead
  pytheas debug node/node-1 -it --image=busybox                a pod in the node's namespaces, its root at /host
"""
_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
Object = dict[str, Any]


def arguments(parser: Parser) -> None:
    parser.names("POD, pod/NAME or node/NAME", "POD")
    parser.add_argument("--image", default="", metavar="IMAGE", help="what to debug with")
    parser.add_argument("--image-pull-policy", default="", metavar="POLICY", help="when to pull it")
    parser.add_argument("-c", "--container", default="", metavar="NAME", help="what to call the container")
    parser.add_argument("--target", default="", metavar="NAME", help="share the processes of this container")
    parser.add_argument("--env", action="append", default=[], metavar="NAME=VALUE", help="a variable for it")
    parser.add_argument("--profile", default="general", metavar="NAME", help=f"what it may: {', '.join(PROFILES)}")
    parser.add_argument("--copy-to", default="", metavar="NAME", help="debug in a copy of the pod")
    parser.add_argument(
        "--set-image", action="append", default=[], metavar="NAME=IMAGE", help="other images in the copy; * is all"
    )
    parser.flag("--share-processes", default=True, help="let the copy's containers see each other's processes")
    parser.flag("--same-node", help="put the copy on the pod's node")
    parser.flag("--keep-labels", help="leave the copy its labels")
    parser.flag("--replace", help="delete the pod when its copy is made")
    parser.flag("--arguments-only", help="pass what comes after -- as arguments, not as the command")
    parser.flag("-i", "--stdin", help="pass standard input on, and stay attached")
    parser.flag("-t", "--tty", help="with a terminal")
    parser.flag("--attach", help="stay attached without -i")
    parser.flag("-q", "--quiet", help="print only what the container prints")


def run(session: Session, args: argparse.Namespace) -> int:
    if len(args.names) != 1:
        raise CliError("NAME or TYPE/NAME is required for debug")
    if not (args.image or args.copy_to):
        raise CliError("you must specify --image, --copy-to or --set-image")
    if args.set_image and not args.copy_to:
        raise CliError("--set-image may only be used with --copy-to")
    kind, _, name = args.names[0].rpartition("/")
    if kind in ("node", "nodes", "no"):
        pod, container = _on_node(session, args, name)
    else:
        found = session.server.get(POD, session.namespace, name)
        pod, container = _in_copy(session, args, found) if args.copy_to else _beside(session, args, found)
    return _attach(session, args, pod, container) if args.stdin or args.attach else 0


def _wish(args: argparse.Namespace, name: str) -> Wish:
    return Wish(
        name=name,
        image=args.image,
        command=args.after_dashes,
        as_arguments=args.arguments_only,
        env=args.env,
        pull_policy=args.image_pull_policy,
        stdin=args.stdin,
        tty=args.tty,
        profile=args.profile,
    )


def _beside(session: Session, args: argparse.Namespace, pod: Object) -> tuple[Object, str]:
    name = args.container or _own_name(session, args)
    if args.target and not args.quiet:
        session.terminal.complain(
            f'Targeting container "{args.target}". If you don\'t see processes from this container it may be because '
            "the container runtime doesn't support this feature."
        )
    metadata = pod["metadata"]
    patch = ephemeral_patch(_wish(args, name), args.target)
    where = (metadata["namespace"], metadata["name"])
    return session.server.patch(POD, *where, patch, "strategic", subresource="ephemeralcontainers"), name


def _in_copy(session: Session, args: argparse.Namespace, pod: Object) -> tuple[Object, str]:
    name = args.container
    if not name:
        name = _own_name(session, args) if args.image else pod["spec"]["containers"][0]["name"]
    images = dict(each.partition("=")[::2] for each in args.set_image)
    if not all(images.values()):
        raise CliError("--set-image takes NAME=IMAGE")
    how = Copy(args.copy_to, images, args.share_processes, args.same_node, args.keep_labels)
    made = pod_copy(pod, _wish(args, name), how)
    created = session.server.create(POD, pod["metadata"]["namespace"], made)
    if args.replace:
        session.server.delete(POD, pod["metadata"]["namespace"], pod["metadata"]["name"], {})
    return created, name


def _on_node(session: Session, args: argparse.Namespace, node: str) -> tuple[Object, str]:
    from kubectl.kinds import NODE

    if not args.image:
        raise CliError("you must specify --image when debugging a node")
    session.server.get(NODE, None, node)
    name, container = f"node-debugger-{node}-{_random()}", args.container or "debugger"
    if not args.quiet:
        session.terminal.print(f"Creating debugging pod {name} with container {container} on node {node}.")
        session.terminal.flush()
    pod = node_pod(node, name, session.namespace, _wish(args, container))
    return session.server.create(POD, session.namespace, pod), container


def _own_name(session: Session, args: argparse.Namespace) -> str:
    name = f"debugger-{_random()}"
    if not args.quiet:
        session.terminal.print(f"Defaulting debug container name to {name}.")
        session.terminal.flush()
    return name


def _random() -> str:
    return "".join(random.choices(_LETTERS, k=5))


def _attach(session: Session, args: argparse.Namespace, pod: Object, container: str) -> int:
    """Wait until the container runs; of one that has ended already, show what it wrote."""
    from kubectl.commands.attach import attach
    from kubectl.logs.following import status_of
    from kubectl.waiting import Deadline, states

    metadata = pod["metadata"]
    told = ""
    for now in states(session.server, POD, metadata["namespace"], metadata["name"], Deadline(0)):
        if now is None:
            raise CliError(f'pod "{metadata["name"]}" was deleted')
        state = status_of(now, container).get("state") or {}
        if "running" in state:
            try:
                return attach(session, now, container, stdin=args.stdin, tty=args.tty, quiet=args.quiet)
            except StatusError as error:  # it has ended meanwhile
                session.terminal.complain(
                    f"warning: couldn't attach to pod/{metadata['name']}, falling back to streaming logs: {error}"
                )
                _show_log(session, now, container)
                return 0
        if "terminated" in state:
            _show_log(session, now, container)
            return int(state["terminated"].get("exitCode") or 0)
        problem = str((state.get("waiting") or {}).get("message") or "")
        if problem and problem != told and not args.quiet:
            session.terminal.complain(f"Warning: container {container}: {problem}")
            told = problem
    raise AssertionError("the states of a pod never end")


def _show_log(session: Session, pod: Object, container: str) -> None:
    from kubectl.server import object_path

    path = object_path(POD, pod["metadata"]["namespace"], pod["metadata"]["name"], "log")
    for piece in session.server.lines(path, {"container": container}):
        session.terminal.write_bytes(piece)


COMMAND = Command(
    usage="debug (POD | node/NAME) (--image=IMAGE | --copy-to=NAME) [-it] [flags] [-- COMMAND [ARG…]]",
    about="Look into a running pod or node with tools that it does not have.",
    examples=EXAMPLES,
    arguments=arguments,
    run=run,
)

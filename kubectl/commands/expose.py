"""`pytheas expose`: a Service for what a Deployment, pod or other Service selects."""

from __future__ import annotations

import argparse
from typing import Any

from kubectl.command import Command
from kubectl.commands.create.making import make
from kubectl.errors import CliError
from kubectl.kinds import SERVICE
from kubectl.outcome import outcome_arguments
from kubectl.parser import Parser
from kubectl.selection import Item, existing, file_arguments
from kubectl.session import Session

EXAMPLES = """
  pytheas expose deployment hello --port=80 --target-port=8080
  pytheas expose deployment hello --port=80 --type=NodePort --name=hello-public
"""


def arguments(parser: Parser) -> None:
    parser.names("TYPE NAME or TYPE/NAME", "TYPE|NAME")
    parser.add_argument(
        "--port", type=int, default=0, metavar="PORT", help="the service's port (default: the containers')"
    )
    parser.add_argument("--target-port", default="", metavar="PORT", help="the containers' port, by number or name")
    parser.add_argument("--protocol", default="TCP", metavar="NAME", help="TCP, UDP or SCTP")
    parser.add_argument("--type", default="", metavar="TYPE", help="ClusterIP, NodePort, LoadBalancer or ExternalName")
    parser.add_argument("--name", default="", metavar="NAME", help="the service's name (default: the object's)")
    parser.add_argument("-l", "--labels", default="", metavar="LABELS", help="labels of the service")
    parser.add_argument("--selector", default="", metavar="LABELS", help="the labels that the service selects")
    parser.add_argument("--cluster-ip", default="", metavar="IP", help="the cluster IP; None for a headless service")
    parser.add_argument("--session-affinity", default="", metavar="HOW", help="None or ClientIP")
    file_arguments(parser)
    outcome_arguments(parser)


def run(session: Session, args: argparse.Namespace) -> int:
    for item in existing(session, args):
        make(session, args, SERVICE, service(item, args), "exposed")
    return 0


def service(item: Item, args: argparse.Namespace) -> dict[str, Any]:
    selector = _pairs(args.selector) or _selector(item)
    spec: dict[str, Any] = {"ports": _ports(item, args), "selector": selector}
    for key, value in (
        ("type", args.type),
        ("clusterIP", args.cluster_ip),
        ("sessionAffinity", args.session_affinity),
    ):
        if value:
            spec[key] = value
    labels = _pairs(args.labels) or item.obj["metadata"].get("labels")
    metadata = {"name": args.name or item.name} | ({"labels": labels} if labels else {})
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}


def _pairs(text: str) -> dict[str, str]:
    pairs = [part.partition("=") for part in text.split(",") if part]
    if any(not equals for _, equals, _ in pairs):
        raise CliError(f"invalid label {text!r}: write KEY=VALUE")
    return {key: value for key, _, value in pairs}


def _selector(item: Item) -> dict[str, str]:
    if item.resource.kind == "Pod":
        found = item.obj["metadata"].get("labels")
    else:
        selector = (item.obj.get("spec") or {}).get("selector") or {}
        if selector.get("matchExpressions"):
            raise CliError(
                f"couldn't convert expressions - {selector['matchExpressions']} to map-based selector format"
            )
        found = selector.get("matchLabels", selector)
    if not found:
        raise CliError(f"{item.label} has no labels to select by: give --selector")
    result: dict[str, str] = found
    return result


def _ports(item: Item, args: argparse.Namespace) -> list[dict[str, Any]]:
    target: int | str = int(args.target_port) if args.target_port.isdigit() else args.target_port
    numbers = [(args.port, args.protocol)] if args.port else _container_ports(item)
    if not numbers:
        raise CliError(
            "couldn't find port via --port flag or introspection\nSee 'pytheas expose -h' for help and examples"
        )
    ports: list[dict[str, Any]] = []
    for index, (number, protocol) in enumerate(numbers):
        entry: dict[str, Any] = {"port": number, "protocol": protocol, "targetPort": target or number}
        if len(numbers) > 1:
            entry["name"] = f"port-{index + 1}"
        ports.append(entry)
    return ports


def _container_ports(item: Item) -> list[tuple[int, str]]:
    spec = item.obj.get("spec") or {}
    if item.resource.kind == "Service":
        return [(port["port"], port.get("protocol", "TCP")) for port in spec.get("ports") or ()]
    containers = (spec.get("template") or {"spec": spec})["spec"].get("containers") or ()
    return [(p["containerPort"], p.get("protocol", "TCP")) for c in containers for p in c.get("ports") or ()]


COMMAND = Command(
    usage="expose (TYPE NAME | TYPE/NAME | -f FILE) [--port=PORT] [flags]",
    about="Make a Service for the pods of an object.",
    examples=EXAMPLES,
    arguments=arguments,
    run=run,
)

"""`pytheas create service clusterip|nodeport|loadbalancer|externalname`."""

from __future__ import annotations

import argparse
from typing import Any

from kubectl.command import Command
from kubectl.commands.create.making import Object, make, making_arguments, one_name
from kubectl.errors import CliError
from kubectl.kinds import SERVICE
from kubectl.parser import Parser
from kubectl.session import Session

TYPES = {
    "clusterip": "ClusterIP",
    "nodeport": "NodePort",
    "loadbalancer": "LoadBalancer",
    "externalname": "ExternalName",
}
EXAMPLES = """
  pytheas create service clusterip web --tcp=80:8080
  pytheas create service nodeport web --tcp=80:8080 --node-port=30080
  pytheas create service clusterip peers --clusterip=None
"""


def arguments(parser: Parser) -> None:
    making_arguments(parser)
    parser.add_argument("--tcp", action="append", default=[], metavar="PORT[:TARGET]", help="a port; again for more")
    parser.add_argument("--clusterip", default="", metavar="IP", help="the cluster IP; None for a headless service")
    parser.add_argument("--node-port", type=int, default=0, metavar="PORT", help="the port on every node")
    parser.add_argument(
        "--external-name", default="", metavar="NAME", help="the name an ExternalName service stands for"
    )


def run(session: Session, args: argparse.Namespace) -> int:
    kind = TYPES.get(args.names[0].lower()) if args.names else None
    if kind is None:
        raise CliError(f"write: pytheas create service {'|'.join(TYPES)} NAME --tcp=PORT:TARGET")
    args.names = args.names[1:]
    name = one_name(args)
    spec: Object = {"type": kind, "selector": {"app": name}}
    if args.tcp:
        spec["ports"] = [port(text) for text in args.tcp]
    elif kind != "ExternalName" and args.clusterip != "None":
        raise CliError("at least one tcp port specifier must be provided")
    if args.node_port and "ports" in spec:
        spec["ports"][0]["nodePort"] = args.node_port
    if args.clusterip:
        spec["clusterIP"] = args.clusterip
    if kind == "ExternalName":
        spec["externalName"] = args.external_name
    obj = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "labels": {"app": name}}, "spec": spec}
    return make(session, args, SERVICE, obj)


def port(text: str) -> dict[str, Any]:
    """`80:8080` or `80`: the port and where it leads."""
    number, colon, target = text.partition(":")
    if not number.isdigit():
        raise CliError(f"invalid port {text!r}: write PORT or PORT:TARGET")
    goal: int | str = int(number) if not colon else int(target) if target.isdigit() else target
    return {"name": text.replace(":", "-"), "port": int(number), "protocol": "TCP", "targetPort": goal}


COMMAND = Command(
    usage="create service TYPE NAME --tcp=PORT:TARGET [flags]",
    about="Create a Service for the pods labelled app=NAME.",
    examples=EXAMPLES,
    arguments=arguments,
    run=run,
)

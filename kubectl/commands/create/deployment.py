"""`pytheas create deployment`."""

from __future__ import annotations

import argparse
import re

from kubectl.command import Command
from kubectl.commands.create.making import Object, make, making_arguments, one_name
from kubectl.errors import CliError
from kubectl.kinds import DEPLOYMENT
from kubectl.parser import Parser
from kubectl.session import Session

EXAMPLES = """
  pytheas create deployment web --image=web:1
  pytheas create deployment web --image=web:1 --replicas=3 --port=8080
  pytheas create deployment once --image=busybox -- sleep 3600
  pytheas create deployment web --image=web:1 --dry-run=client -o yaml > web.yaml
"""


def arguments(parser: Parser) -> None:
    making_arguments(parser)
    parser.add_argument("--image", action="append", required=True, metavar="IMAGE", help="an image; again for more")
    parser.add_argument("-r", "--replicas", type=int, default=1, metavar="N", help="how many pods")
    parser.add_argument("--port", type=int, metavar="PORT", help="the port that the container listens on")


def run(session: Session, args: argparse.Namespace) -> int:
    if len(args.image) > 1 and args.after_dashes:
        raise CliError("cannot specify multiple --image options and command")
    return make(
        session, args, DEPLOYMENT, deployment(one_name(args), args.image, args.replicas, args.port, args.after_dashes)
    )


def deployment(name: str, images: list[str], replicas: int, port: int | None, command: list[str]) -> Object:
    labels = {"app": name}
    containers = [_container(image, port if index == 0 else None, command) for index, image in enumerate(images)]
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": containers}},
        },
    }


def _container(image: str, port: int | None, command: list[str]) -> Object:
    container: Object = {"name": container_name(image), "image": image}
    if port:
        container["ports"] = [{"containerPort": port}]
    if command:
        container["command"] = command
    return container


def container_name(image: str) -> str:
    """`registry/team/web_app:1.2@sha256:…` becomes `web-app`."""
    name = image.rsplit("/", 1)[-1].split("@")[0].split(":")[0]
    return re.sub(r"[^a-z0-9-]", "-", name.lower())[:63].strip("-") or "main"


COMMAND = Command(
    usage="create deployment NAME --image=IMAGE [flags] [-- COMMAND ARG…]",
    about="Create a Deployment of one image.",
    examples=EXAMPLES,
    arguments=arguments,
    run=run,
)

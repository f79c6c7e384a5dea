"""The container image and its files keep to what the rest of the program says."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from cluster.daemons import Machine, control_plane
from cluster.layout import Layout, Network, Ports
from cluster.packages import NEEDED
from deploy.container.prepare import ADDRESSES, apart

ROOT = Path(__file__).parents[3]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())


def test_the_image_has_every_package_that_a_machine_needs() -> None:
    text = (ROOT / "deploy/Dockerfile").read_text()
    assert [package.name for package in NEEDED if not re.search(rf"\b{re.escape(package.name)}\b", text)] == []


def test_the_image_is_built_on_any_base() -> None:
    lines = (ROOT / "deploy/Dockerfile").read_text().splitlines()
    assert "ARG BASE=python:3.12-slim-bookworm" in lines
    assert "FROM ${BASE}" in lines


def test_every_package_of_the_program_is_in_the_image() -> None:
    allowed = (ROOT / ".dockerignore").read_text().splitlines()
    project = (ROOT / "pyproject.toml").read_text()
    include = re.search(r"packages\.find\.include = \[(.*?)\]", project, re.DOTALL)
    assert include is not None
    names = [name.removesuffix("*") for name in re.findall(r'"([a-z*]+)"', include[1])]
    assert [name for name in names if f"!{name}" not in allowed] == []


def test_addresses_are_those_of_the_compose_file() -> None:
    services = COMPOSE["services"]
    for name, last in ADDRESSES.items():
        assert services[name]["networks"]["cluster"]["ipv4_address"].endswith(f".{last}")


def test_every_service_that_stays_has_a_health_check() -> None:
    staying = {name: service for name, service in COMPOSE["services"].items() if name != "certificates"}
    assert [name for name, service in staying.items() if "healthcheck" not in service] == []


def test_daemons_apart_reach_each_other_by_name() -> None:
    daemons = control_plane(Layout(), Network(), Ports(), Machine("etcd", "10.0.0.11"))
    configs = {daemon.name: apart(daemon).config for daemon in daemons}
    assert configs["etcd"]["listen-client-urls"] == "https://0.0.0.0:2379"
    assert configs["etcd"]["advertise-client-urls"] == configs["apiserver"]["etcd-servers"] == "https://etcd:2379"
    assert configs["apiserver"]["advertise-address"] == "10.0.0.11"

"""The containers of a pod or of a pod template."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kubectl.describe.common import moment
from kubectl.describe.writer import Writer

Container = Mapping[str, Any]


def containers(
    writer: Writer, title: str, found: Sequence[Container], statuses: Sequence[Container] = (), indent: str = ""
) -> None:
    """`indent` is what a pod template puts before the title; its names then stand one space further in."""
    writer.line(0, f"{indent}{title}:{'' if found else ' <none>'}")
    by_name = {status["name"]: status for status in statuses}
    for container in found:
        status = by_name.get(container["name"])
        writer.line(1, f"{' ' if indent else ''}{container['name']}:")
        _basics(writer, container, status)
        for name in ("command", "args"):
            if container.get(name):
                writer.line(2, f"{name.capitalize()}:")
                for word in container[name]:
                    for line in word.split("\n"):
                        writer.line(3, line)
        if status:
            _state(writer, status)
        _resources(writer, container.get("resources") or {})
        for name in ("liveness", "readiness", "startup"):
            if container.get(f"{name}Probe"):
                writer.field(2, name.capitalize(), probe(container[f"{name}Probe"]))
        _environment(writer, container)
        _mounts(writer, container)


def _basics(writer: Writer, container: Container, status: Container | None) -> None:
    if status is not None:
        writer.field(2, "Container ID", status.get("containerID", ""))
    writer.field(2, "Image", container.get("image", ""))
    if status is not None:
        writer.field(2, "Image ID", status.get("imageID", ""))
    for title, key in (("Port", "containerPort"), ("Host Port", "hostPort")):
        ports = [_port(entry, key) for entry in container.get("ports") or ()]
        writer.field(2, f"{title}s" if len(ports) > 1 else title, ", ".join(ports) or "<none>")


def _port(entry: Mapping[str, Any], key: str) -> str:
    name = f" ({entry['name']})" if entry.get("name") else ""
    return f"{entry.get(key, 0)}/{entry.get('protocol', 'TCP')}{name}"


def _state(writer: Writer, status: Container) -> None:
    _one_state(writer, "State", status.get("state") or {})
    if (status.get("lastState") or {}).get("terminated"):
        _one_state(writer, "Last State", status["lastState"])
    writer.field(2, "Ready", bool(status.get("ready")))
    writer.field(2, "Restart Count", status.get("restartCount", 0))


def _one_state(writer: Writer, title: str, state: Mapping[str, Any]) -> None:
    if "running" in state:
        writer.field(2, title, "Running")
        writer.field(3, "Started", moment((state["running"] or {}).get("startedAt")))
    elif "terminated" in state:
        ended = state["terminated"] or {}
        writer.field(2, title, "Terminated")
        for name in ("reason", "message"):
            if ended.get(name):
                writer.field(3, name.capitalize(), ended[name])
        writer.field(3, "Exit Code", ended.get("exitCode", 0))
        if ended.get("signal"):
            writer.field(3, "Signal", ended["signal"])
        writer.field(3, "Started", moment(ended.get("startedAt")))
        writer.field(3, "Finished", moment(ended.get("finishedAt")))
    else:
        writer.field(2, title, "Waiting")
        if (state.get("waiting") or {}).get("reason"):
            writer.field(3, "Reason", state["waiting"]["reason"])


def _resources(writer: Writer, resources: Mapping[str, Any]) -> None:
    for name in ("limits", "requests"):
        if resources.get(name):
            writer.line(2, f"{name.capitalize()}:")
            for key in sorted(resources[name]):
                writer.field(3, key, resources[name][key])


def probe(value: Mapping[str, Any]) -> str:
    """`http-get http://:8080/healthz delay=0s timeout=1s period=10s successThreshold=1 failureThreshold=3`"""
    timing = (
        f"delay={value.get('initialDelaySeconds', 0)}s timeout={value.get('timeoutSeconds', 1)}s "
        f"period={value.get('periodSeconds', 10)}s successThreshold={value.get('successThreshold', 1)} "
        f"failureThreshold={value.get('failureThreshold', 3)}"
    )
    if value.get("exec"):
        return f"exec [{' '.join(value['exec'].get('command') or ())}] {timing}"
    if value.get("httpGet"):
        get = value["httpGet"]
        path = get.get("path", "")
        url = f"{get.get('scheme', 'HTTP').lower()}://{get.get('host', '')}:{get['port']}"
        return f"http-get {url}{path if path.startswith('/') or not path else '/' + path} {timing}"
    if value.get("tcpSocket"):
        return f"tcp-socket {value['tcpSocket'].get('host', '')}:{value['tcpSocket']['port']} {timing}"
    if value.get("grpc"):
        return f"grpc <pod>:{value['grpc']['port']} {value['grpc'].get('service', '')} {timing}"
    return f"unknown {timing}"


def _environment(writer: Writer, container: Container) -> None:
    for source in container.get("envFrom") or ():
        _environment_from(writer, source, first=source is container["envFrom"][0])
    variables = container.get("env") or ()
    writer.line(2, "Environment:" if variables else "Environment:\t<none>")
    for variable in variables:
        source = variable.get("valueFrom")
        if source:
            writer.line(3, f"{variable['name']}:\t{_value_from(source, container)}")
            continue
        first, *rest = variable.get("value", "").split("\n")
        writer.line(3, f"{variable['name']}:\t{first}")
        for line in rest:
            writer.line(3, f"\t{line}")


def _environment_from(writer: Writer, source: Mapping[str, Any], *, first: bool) -> None:
    if first:
        writer.line(2, "Environment Variables from:")
    kind, reference = (
        ("ConfigMap", source["configMapRef"])
        if source.get("configMapRef")
        else ("Secret", source.get("secretRef") or {})
    )
    prefix = f" with prefix '{source['prefix']}'" if source.get("prefix") else ""
    optional = "true" if reference.get("optional") else "false"
    writer.line(3, f"{reference.get('name', '')}\t{kind}{prefix}\tOptional: {optional}")


def _value_from(source: Mapping[str, Any], container: Container) -> str:
    if source.get("fieldRef"):
        reference = source["fieldRef"]
        return f" ({reference.get('apiVersion', 'v1')}:{reference['fieldPath']})"
    if source.get("resourceFieldRef"):
        reference = source["resourceFieldRef"]
        return f"{_resource_value(reference['resource'], container)} ({reference['resource']})"
    for key, words in (("secretKeyRef", ("in", "secret")), ("configMapKeyRef", ("of", "config map"))):
        if source.get(key):
            reference = source[key]
            optional = "true" if reference.get("optional") else "false"
            return (
                f"<set to the key '{reference['key']}' {words[0]} {words[1]} '{reference.get('name', '')}'>"
                f"\tOptional: {optional}"
            )
    return "<unknown>"


def _resource_value(name: str, container: Container) -> str:
    """`limits.cpu` of the container in whole units, as its environment will have it; empty if it sets none."""
    from api import quantity

    side, _, key = name.partition(".")
    amount = ((container.get("resources") or {}).get(side) or {}).get(key)
    return "" if amount is None else str(quantity.value(quantity.parse(amount)))


def _mounts(writer: Writer, container: Container) -> None:
    mounts = sorted(container.get("volumeMounts") or (), key=lambda mount: mount["mountPath"])
    writer.line(2, "Mounts:" if mounts else "Mounts:\t<none>")
    for mount in mounts:
        flags = ["ro" if mount.get("readOnly") else "rw"]
        if mount.get("subPath"):
            flags.append(f'path="{mount["subPath"]}"')
        writer.line(3, f"{mount['mountPath']} from {mount['name']} ({','.join(flags)})")

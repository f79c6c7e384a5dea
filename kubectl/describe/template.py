"""A pod template and its volumes, as workloads and rollout history show them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from kubectl.describe.common import annotation_lines, label_lines, tolerations
from kubectl.describe.container import containers
from kubectl.describe.writer import Writer


def pod_template(writer: Writer, template: Mapping[str, Any] | None) -> None:
    writer.line(0, "Pod Template:")
    if not template:
        writer.line(0, "  <unset>")
        return
    metadata, spec = template.get("metadata") or {}, template["spec"]
    label_lines(writer, "  Labels", metadata.get("labels"))
    if metadata.get("annotations"):
        annotation_lines(writer, "  Annotations", metadata["annotations"])
    if spec.get("serviceAccountName"):
        writer.line(0, f"  Service Account:\t{spec['serviceAccountName']}")
    if spec.get("initContainers"):
        containers(writer, "Init Containers", spec["initContainers"], indent="  ")
    containers(writer, "Containers", spec.get("containers") or (), indent="  ")
    volumes(writer, spec.get("volumes"), "  ")
    if spec.get("priorityClassName"):
        writer.line(0, f"  Priority Class Name:\t{spec['priorityClassName']}")
    label_lines(writer, "  Node-Selectors", spec.get("nodeSelector"))
    tolerations(writer, "  Tolerations", spec.get("tolerations"))


def volumes(writer: Writer, found: Iterable[Mapping[str, Any]] | None, indent: str = "") -> None:
    listed = list(found or ())
    writer.line(0, f"{indent}Volumes:{'' if listed else chr(9) + '<none>'}")
    for volume in listed:
        writer.line(1, f"{' ' if indent else ''}{volume['name']}:")
        for name, value in _facts(volume):
            if not name:
                writer.line(3, value)
            else:
                writer.line(2, f"{name}:" if value is None else f"{name}:\t{value}")


def _facts(volume: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
    for key, describe in _KINDS.items():
        if volume.get(key) is not None:
            return describe(volume[key])
    return [("Type", next((key for key in volume if key != "name"), "<unknown>"))]


def _optional(source: Mapping[str, Any]) -> str:
    return "true" if source.get("optional") else "false"


def _empty_dir(source: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return [
        ("Type", "EmptyDir (a temporary directory that shares a pod's lifetime)"),
        ("Medium", source.get("medium", "")),
        ("SizeLimit", source.get("sizeLimit") or "<unset>"),
    ]


def _host_path(source: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return [
        ("Type", "HostPath (bare host directory volume)"),
        ("Path", source["path"]),
        ("HostPathType", source.get("type", "")),
    ]


def _secret(source: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return [
        ("Type", "Secret (a volume populated by a Secret)"),
        ("SecretName", source.get("secretName", "")),
        ("Optional", _optional(source)),
    ]


def _config_map(source: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return [
        ("Type", "ConfigMap (a volume populated by a ConfigMap)"),
        ("Name", source.get("name", "")),
        ("Optional", _optional(source)),
    ]


def _claim(source: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return [
        ("Type", "PersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same namespace)"),
        ("ClaimName", source["claimName"]),
        ("ReadOnly", "true" if source.get("readOnly") else "false"),
    ]


def _downward(source: Mapping[str, Any]) -> list[tuple[str, Any]]:
    facts: list[tuple[str, Any]] = [
        ("Type", "DownwardAPI (a volume populated by information about the pod)"),
        ("Items", None),
    ]
    for item in source.get("items") or ():
        reference = item.get("fieldRef") or item.get("resourceFieldRef") or {}
        facts.append(("", f"{reference.get('fieldPath') or reference.get('resource')} -> {item['path']}"))
    return facts


def _projected(source: Mapping[str, Any]) -> list[tuple[str, Any]]:
    facts: list[tuple[str, Any]] = [("Type", "Projected (a volume that contains injected data from multiple sources)")]
    for part in source.get("sources") or ():
        if part.get("secret"):
            facts += [("SecretName", part["secret"].get("name", "")), ("Optional", _optional(part["secret"]))]
        elif part.get("configMap"):
            facts += [("ConfigMapName", part["configMap"].get("name", "")), ("Optional", _optional(part["configMap"]))]
        elif part.get("downwardAPI"):
            facts.append(("DownwardAPI", "true"))
        elif part.get("serviceAccountToken"):
            facts.append(("TokenExpirationSeconds", part["serviceAccountToken"].get("expirationSeconds", 3600)))
    return facts


_KINDS = {
    "emptyDir": _empty_dir,
    "hostPath": _host_path,
    "secret": _secret,
    "configMap": _config_map,
    "persistentVolumeClaim": _claim,
    "downwardAPI": _downward,
    "projected": _projected,
}

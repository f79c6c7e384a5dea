"""The defaults of pods and pod templates. Filled in place, on every write, so the common case must stay cheap."""

from __future__ import annotations

from typing import Any

from apiserver.registry import claims, resources
from apiserver.registry.kind import Object
from apiserver.registry.podspec import whole

GRACE_PERIOD = 30
FILE_MODE = 0o644
TOKEN_LIFETIME = 3600

_SPEC = {
    "restartPolicy": "Always",
    "dnsPolicy": "ClusterFirst",
    "schedulerName": "default-scheduler",
}
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_PROBE = {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}
_CONTAINERS = ("containers", "initContainers", "ephemeralContainers")
_MODES = ("configMap", "secret", "downwardAPI", "projected")
_SOURCES: dict[str, dict[str, Any]] = {
    "hostPath": {"type": ""},
    "iscsi": {"iscsiInterface": "default"},
    "rbd": {"pool": "rbd", "user": "admin", "keyring": "/etc/ceph/keyring"},
    "azureDisk": {"cachingMode": "ReadWrite", "fsType": "ext4", "readOnly": False, "kind": "Shared"},
    "scaleIO": {"storageMode": "ThinProvisioned", "fsType": "xfs"},
}


def default_pod(spec: Object) -> None:
    """What only a pod gets, and no template: its requests, and the ports that follow from the host's network."""
    if spec.get("enableServiceLinks") is None:
        spec["enableServiceLinks"] = True
    host_network = spec.get("hostNetwork")
    for field in ("containers", "initContainers"):
        for container in spec.get(field) or ():
            resources.default_requests(container)
            if host_network:
                for port in container.get("ports") or ():
                    if not port.get("hostPort") and port.get("containerPort"):
                        port["hostPort"] = port["containerPort"]
    if spec.get("resources"):
        whole.default_requests(spec)


def default_spec(spec: Object) -> None:
    """What every pod spec gets."""
    for name, value in _SPEC.items():
        if not spec.get(name):
            spec[name] = value
    if spec.get("terminationGracePeriodSeconds") is None:
        spec["terminationGracePeriodSeconds"] = GRACE_PERIOD
    if spec.get("securityContext") is None:
        spec["securityContext"] = {}
    _service_account(spec)
    for field in _CONTAINERS:
        for container in spec.get(field) or ():
            _container(container)
    for volume in spec.get("volumes") or ():
        _volume(volume)
    if overhead := spec.get("overhead"):
        resources.default_list(overhead)
    if stated := spec.get("resources"):
        resources.default_list(stated.get("limits"))
        resources.default_list(stated.get("requests"))


def _service_account(spec: Object) -> None:
    """`serviceAccount` is the old name of `serviceAccountName`, and always says the same."""
    name = spec.get("serviceAccountName") or spec.get("serviceAccount")
    if name:
        spec["serviceAccountName"] = spec["serviceAccount"] = name


def pull_policy(image: str) -> str:
    """Always for the tag `latest`, said or implied; an image named by digest alone has no tag."""
    name, _, digest = image.partition("@")
    _, colon, tag = name.rpartition("/")[2].partition(":")
    if not name or (colon and not tag):
        return "IfNotPresent"
    latest = tag == "latest" if colon else not digest
    return "Always" if latest else "IfNotPresent"


def _container(container: Object) -> None:
    if not container.get("imagePullPolicy"):
        container["imagePullPolicy"] = pull_policy(container.get("image") or "")
    if not container.get("terminationMessagePath"):
        container["terminationMessagePath"] = "/dev/termination-log"
    if not container.get("terminationMessagePolicy"):
        container["terminationMessagePolicy"] = "File"
    stated = container.get("resources")
    if stated is None:
        container["resources"] = {}
    else:
        resources.default_list(stated.get("limits"))
        resources.default_list(stated.get("requests"))
    for port in container.get("ports") or ():
        if not port.get("protocol"):
            port["protocol"] = "TCP"
    for probe in _PROBES:
        if probe in container:
            _probe(container[probe])
    for variable in container.get("env") or ():
        if source := variable.get("valueFrom"):
            _field_ref(source)
            if (file := source.get("fileKeyRef")) is not None and file.get("optional") is None:
                file["optional"] = False
    if lifecycle := container.get("lifecycle"):
        for hook in ("postStart", "preStop"):
            _http_get(lifecycle.get(hook))
    security = container.get("securityContext")
    if security and security.get("procMount") == "":
        security["procMount"] = "Default"


def _probe(probe: Object | None) -> None:
    if probe is None:
        return
    for name, value in _PROBE.items():
        if not probe.get(name):
            probe[name] = value
    _http_get(probe)
    grpc = probe.get("grpc")
    if grpc is not None and grpc.get("service") is None:
        grpc["service"] = ""


def _http_get(handler: Object | None) -> None:
    get = handler.get("httpGet") if handler else None
    if get is not None:
        if not get.get("path"):
            get["path"] = "/"
        if not get.get("scheme"):
            get["scheme"] = "HTTP"


def _field_ref(source: Object) -> None:
    reference = source.get("fieldRef")
    if reference is not None and not reference.get("apiVersion"):
        reference["apiVersion"] = "v1"
    resource = source.get("resourceFieldRef")
    if resource is not None:
        divisor = resource.get("divisor")
        resource["divisor"] = "0" if divisor is None else resources.canonical(divisor)


def _volume(volume: Object) -> None:
    if all(value is None for name, value in volume.items() if name != "name"):
        volume["emptyDir"] = {}
        return
    for name in _MODES:
        source = volume.get(name)
        if source is not None and source.get("defaultMode") is None:
            source["defaultMode"] = FILE_MODE
    default_sources(volume)
    _volume_parts(volume)


def default_sources(holder: Object) -> None:
    """The sources that have defaults of their own, in a pod's volume or in a persistent one."""
    for name, values in _SOURCES.items():
        source = holder.get(name)
        if source is not None:
            for field, value in values.items():
                if source.get(field) is None:
                    source[field] = value


def _volume_parts(volume: Object) -> None:
    if empty := volume.get("emptyDir"):
        limit = empty.get("sizeLimit")
        if limit is not None:
            empty["sizeLimit"] = resources.canonical(limit)
    if (image := volume.get("image")) and not image.get("pullPolicy"):
        image["pullPolicy"] = pull_policy(image.get("reference") or "")
    if downward := volume.get("downwardAPI"):
        _items(downward)
    if projected := volume.get("projected"):
        for source in projected.get("sources") or ():
            _items(source.get("downwardAPI"))
            token = source.get("serviceAccountToken")
            if token is not None and token.get("expirationSeconds") is None:
                token["expirationSeconds"] = TOKEN_LIFETIME
    if ephemeral := volume.get("ephemeral"):
        claim = (ephemeral.get("volumeClaimTemplate") or {}).get("spec")
        if claim is not None:
            claims.default_claim(claim)


def _items(source: Object | None) -> None:
    for item in (source or {}).get("items") or ():
        _field_ref(item)

"""AppArmor profiles that are named by annotations, as before there were fields for them: they are taken into the
fields, which alone count on the nodes."""

from __future__ import annotations

from apiserver.registry.kind import Object
from apiserver.registry.podspec import security

_PREFIX = "container.apparmor.security.beta.kubernetes.io/"
_LOCAL = "localhost/"


def from_annotations(pod: Object) -> None:
    """Give each container that has such an annotation, and no profile of its own, the field that says the same."""
    annotations, spec = pod["metadata"].get("annotations") or {}, pod["spec"]
    if not annotations or (spec.get("os") or {}).get("name") == "windows":
        return
    whole = (spec.get("securityContext") or {}).get("appArmorProfile")
    for field in ("initContainers", "containers", "ephemeralContainers"):
        for container in spec.get(field) or ():
            profile = _profile(annotations.get(_PREFIX + (container.get("name") or "")))
            context = container.get("securityContext") or {}
            if profile is not None and profile != whole and context.get("appArmorProfile") is None:
                container["securityContext"] = {**context, "appArmorProfile": profile}


def _profile(annotation: str | None) -> Object | None:
    """None for an annotation that names no valid profile."""
    plain = {"unconfined": "Unconfined", "runtime/default": "RuntimeDefault"}
    if annotation in plain:
        return {"type": plain[annotation]}
    if annotation is None or not annotation.startswith(_LOCAL):
        return None
    profile = {"type": "Localhost", "localhostProfile": annotation.removeprefix(_LOCAL)}
    return None if security.profiles({"appArmorProfile": profile}, "") else profile

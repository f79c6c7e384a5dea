"""Files of one volume that would lie on or in each other."""

from __future__ import annotations

from collections.abc import Iterator

from apiserver.registry.kind import Object

Placed = tuple[str, str]
"""A path in the volume, and whose it is (empty where the volume has only one source)."""

_CERTIFICATE = {
    "certificateChainPath": "PodCertificate chain",
    "keyPath": "PodCertificate key",
    "credentialBundlePath": "PodCertificate credential bundle",
}


def of_volume(volume: Object) -> Iterator[str]:
    name = volume.get("name") or ""
    for field, kind, key in (("configMap", "ConfigMap", "name"), ("secret", "Secret", "secretName")):
        source = volume.get(field) or {}
        if items := source.get("items"):
            yield from _overlaps(name, f'{kind} "{source.get(key) or ""}"', _items(items, ""))
    if items := (volume.get("downwardAPI") or {}).get("items"):
        yield from _overlaps(name, "DownwardAPI", _items(items, ""))
    projected = volume.get("projected")
    if projected is not None:
        sources = projected.get("sources") or ()
        for source in sources:
            if all(given is None for given in source.values()):
                yield f'volume "{name}" (Projected) has no sources provided'
        yield from _overlaps(name, "Projected", [placed for source in sources for placed in _projected(source)])


def _items(items: list[Object], whose: str) -> list[Placed]:
    return [(item.get("path") or "", whose) for item in items]


def _projected(source: Object) -> list[Placed]:
    for field, kind in (("configMap", "ConfigMap"), ("secret", "Secret")):
        given = source.get(field)
        if given is not None:
            return _items(given.get("items") or [], f'{kind} "{given.get("name") or ""}"')
    if (given := source.get("downwardAPI")) is not None:
        return _items(given.get("items") or [], "DownwardAPI")
    if (given := source.get("serviceAccountToken")) is not None:
        return [(given.get("path") or "", "ServiceAccountToken")]
    if (given := source.get("clusterTrustBundle")) is not None:
        name = given.get("name") or given.get("signerName") or ""
        return [(given.get("path") or "", f'ClusterTrustBundle "{name}"')]
    given = source.get("podCertificate") or {}
    return [(given[field], whose) for field, whose in _CERTIFICATE.items() if given.get(field)]


def _overlaps(volume: str, kind: str, placed: list[Placed]) -> Iterator[str]:
    before: list[Placed] = []
    for path, whose in placed:
        here = (path.rstrip("/"), whose)
        for there in before:
            if here[0] and there[0] and _within(here[0], there[0]):
                yield f'volume "{volume}" ({kind}): overlapping paths: {_shown(here)} with {_shown(there)}'
        before.append(here)


def _within(one: str, other: str) -> bool:
    return f"{one}/".startswith(f"{other}/") or f"{other}/".startswith(f"{one}/")


def _shown(placed: Placed) -> str:
    path, whose = placed
    return f'"{path}" ({whose})' if whose else f'"{path}"'

"""The kinds that a definition makes: one for each of its versions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from api.schema import structural
from api.versions import rank
from apiserver.customresources.columns import columns_of
from apiserver.customresources.strategy import CustomStrategy, Paths
from apiserver.registry.conversion import Convert
from apiserver.registry.definitions.fields import steps
from apiserver.registry.definitions.names import NAMESPACED
from apiserver.registry.definitions.versions import schema_of, status_of
from apiserver.registry.kind import Kind, Object, Scale
from apiserver.storage.store import Guard


class Shared(NamedTuple):
    """What the versions of a kind have in common."""

    convert: Convert | None = None
    definition: Callable[[], Guard] | None = None
    """What the creation of objects holds on to."""
    paths: Paths = ()
    """The selectable fields of all versions."""

    @property
    def alike(self) -> bool:
        """Whether all versions have the same schema."""
        return self.convert is None


def kinds_of(crd: Object, convert: Convert | None = None, definition: Callable[[], Guard] | None = None) -> list[Kind]:
    """The definition's kinds, the preferred version first. Those that are not served are there, too: objects may be
    kept in them."""
    versions = sorted(crd["spec"]["versions"], key=lambda version: rank(version["name"]), reverse=True)
    paths = tuple(dict.fromkeys(path for version in versions for path in _selectable(version)))
    shared = Shared(convert, definition, paths)
    return [_kind(crd, version, shared) for version in versions]


def _selectable(version: Mapping[str, Any]) -> Paths:
    return tuple(steps(field["jsonPath"]) for field in version.get("selectableFields") or ())


def definition_name(group: str, version: str, kind: str) -> str:
    """How OpenAPI documents call a custom kind: `com.example.stable.v1.CronTab`."""
    return ".".join([*reversed(group.split(".")), version, kind])


def _kind(crd: Object, version: Object, shared: Shared) -> Kind:
    spec, names = crd["spec"], crd["status"]["acceptedNames"]
    scale, status = _scale(version), status_of(version)
    schema = structural(schema_of(version) or {})
    strategy = CustomStrategy(
        schema,
        frozenset({f"{spec['group']}/{each['name']}" for each in (spec["versions"] if shared.alike else (version,))}),
        status=status,
        scale=scale,
        fields=_selectable(version),
        paths=shared.paths,
        definition=shared.definition,
    )
    return Kind(
        group=spec["group"],
        version=version["name"],
        kind=names["kind"],
        plural=names["plural"],
        definition=definition_name(spec["group"], version["name"], names["kind"]),
        namespaced=spec["scope"] == NAMESPACED,
        singular=names.get("singular") or "",
        short_names=tuple(names.get("shortNames") or ()),
        categories=tuple(names.get("categories") or ()),
        strategy=strategy,
        status=status,
        scale=scale,
        columns=columns_of(version),
        table="plain",
        list_kind=names["listKind"],
        deprecation=_deprecation(spec, version) if version.get("deprecated") else "",
        own_schema=schema,
        kept=bool(version.get("storage")),
        served=bool(version.get("served")),
        convert=shared.convert,
    )


def _deprecation(spec: Mapping[str, Any], version: Mapping[str, Any]) -> str:
    """What a user of a deprecated version is told."""
    if version.get("deprecationWarning"):
        return str(version["deprecationWarning"])
    group, kind, own = spec["group"], spec["names"]["kind"], version["name"]
    text = f"{group}/{own} {kind} is deprecated"
    good = [each["name"] for each in spec["versions"] if each.get("served") and not each.get("deprecated")]
    better = [name for name in good if rank(name) > rank(own)]
    return f"{text}; use {group}/{max(better, key=rank)} {kind}" if better else text


def _scale(version: Mapping[str, Any]) -> Scale | None:
    given = (version.get("subresources") or {}).get("scale")
    if given is None:
        return None
    selector = steps(given.get("labelSelectorPath") or "")
    return Scale(steps(given["specReplicasPath"]), steps(given["statusReplicasPath"]), selector)

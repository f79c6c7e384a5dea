"""Which requests a webhook or a policy is for: rules, selectors, and the other versions of the same resource."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from api.errors import NotFound
from api.selectors import LabelSelector
from apiserver.registry.kind import Object

if TYPE_CHECKING:
    from apiserver.admission.attributes import Attributes
    from apiserver.endpoints.state import Resource, State

_ALL = "*"
_EXEMPT = frozenset(
    {
        "mutatingadmissionpolicies",
        "mutatingadmissionpolicybindings",
        "mutatingwebhookconfigurations",
        "validatingadmissionpolicies",
        "validatingadmissionpolicybindings",
        "validatingwebhookconfigurations",
    }
)


def exempt(resource: Resource) -> bool:
    """Whether a resource is what admission itself is configured with: nobody shall lock themselves out of that."""
    return resource.kind.group == "admissionregistration.k8s.io" and resource.kind.plural in _EXEMPT


def is_namespace(resource: Resource) -> bool:
    return resource.kind.plural == "namespaces" and not resource.kind.group


def namespace_of(attributes: Attributes) -> str:
    """The namespace a request is in; a namespace is in itself."""
    return attributes.namespace or (attributes.name if is_namespace(attributes.resource) else "")


@dataclass(frozen=True, slots=True)
class Rule:
    """A RuleWithOperations. `names` are the only objects it is for, if there are any (policies)."""

    operations: frozenset[str]
    groups: frozenset[str]
    versions: frozenset[str]
    resources: tuple[tuple[str, str], ...]
    scope: str
    names: frozenset[str] = frozenset()

    @classmethod
    def of(cls, rule: Mapping[str, Any]) -> Rule:
        resources = tuple((plural, below) for plural, _, below in (r.partition("/") for r in rule["resources"]))
        operations = frozenset(operation.lower() for operation in rule["operations"])
        groups, versions = frozenset(rule["apiGroups"]), frozenset(rule["apiVersions"])
        names = frozenset(rule.get("resourceNames") or ())
        return cls(operations, groups, versions, resources, rule.get("scope") or _ALL, names)

    def matches(self, attributes: Attributes, resource: Resource) -> bool:
        """Whether the rule is for the request, taken as one for `resource`."""
        kind = resource.kind
        return (
            (_ALL in self.operations or attributes.operation in self.operations)
            and (_ALL in self.groups or kind.group in self.groups)
            and (_ALL in self.versions or kind.version in self.versions)
            and any(
                plural in (_ALL, kind.plural) and below in (_ALL, attributes.subresource)
                for plural, below in self.resources
            )
            and self._in_scope(attributes)
            and (not self.names or attributes.name in self.names)
        )

    def _in_scope(self, attributes: Attributes) -> bool:
        if self.scope == _ALL:
            return True
        return (self.scope == "Namespaced") == attributes.resource.kind.namespaced


@dataclass(frozen=True, slots=True)
class Matching:
    """The part of a webhook, a policy or a binding that says which requests it is for.

    `any_resource` is whether no rules at all means every resource (a binding) instead of none.
    """

    rules: tuple[Rule, ...]
    excluded: tuple[Rule, ...]
    equivalent: bool
    namespaces: LabelSelector
    objects: LabelSelector
    any_resource: bool = False

    @classmethod
    def of(cls, spec: Mapping[str, Any], *, any_resource: bool = False) -> Matching:
        """From a webhook (`rules`) or a MatchResources (`resourceRules`, `excludeResourceRules`)."""
        return cls(
            rules=_rules(spec.get("rules") or spec.get("resourceRules")),
            excluded=_rules(spec.get("excludeResourceRules")),
            equivalent=spec.get("matchPolicy", "Equivalent") == "Equivalent",
            namespaces=LabelSelector.of(spec.get("namespaceSelector") or {}),
            objects=LabelSelector.of(spec.get("objectSelector") or {}),
            any_resource=any_resource,
        )

    async def match(
        self, state: State, attributes: Attributes, obj: Object | None, old: Object | None
    ) -> Resource | None:
        """The version of the resource by which the request is meant, or None if it is not. Raises NotFound."""
        if self.excluded and self._find(self.excluded, state, attributes) is not None:
            return None
        found = attributes.resource if self.any_resource and not self.rules else None
        found = found or self._find(self.rules, state, attributes)
        if found is None or not _labelled(self.objects, obj, old):
            return None
        return found if await self._in_namespace(state, attributes, obj) else None

    def _find(self, rules: Iterable[Rule], state: State, attributes: Attributes) -> Resource | None:
        asked = attributes.resource
        if any(rule.matches(attributes, asked) for rule in rules):
            return asked
        if not self.equivalent:
            return None
        others = [each for each in state.catalog if each.home is asked.home and each is not asked]
        return next((each for rule in rules for each in others if rule.matches(attributes, each)), None)

    async def _in_namespace(self, state: State, attributes: Attributes, obj: Object | None) -> bool:
        if self.namespaces.everything:
            return True
        name = namespace_of(attributes)
        if not name:
            return True  # what is in no namespace is not exempt by any
        if obj is not None and is_namespace(attributes.resource) and not attributes.subresource:
            return self.namespaces.matches((obj.get("metadata") or {}).get("labels"))
        return self.namespaces.matches(await _labels_of(state, name))


def _rules(rules: Iterable[Mapping[str, Any]] | None) -> tuple[Rule, ...]:
    return tuple(Rule.of(rule) for rule in rules or ())


def _labelled(selector: LabelSelector, *objects: Object | None) -> bool:
    if selector.everything:
        return True
    return any(obj is not None and selector.matches((obj.get("metadata") or {}).get("labels")) for obj in objects)


async def _labels_of(state: State, name: str) -> Mapping[str, str]:
    cache = state.resource("namespaces").cache
    if name not in cache.entries:
        await state.feed.fresh()
    entry = cache.entries.get(name)
    if entry is None:
        raise NotFound("namespaces", name)
    return entry.labels

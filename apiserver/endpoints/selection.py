"""Which objects a list, a watch or a deletecollection means: namespace, name, labels, fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from api.errors import BadRequest
from api.selectors import FieldSelector, LabelSelector, SelectorError
from apiserver.registry.kind import Kind
from apiserver.storage.cache import Entry

_METADATA_FIELDS = ("metadata.name", "metadata.namespace")


@dataclass(frozen=True, slots=True)
class Selection:
    """Conditions on an entry. An empty namespace or name means any."""

    namespace: str = ""
    name: str = ""
    labels: LabelSelector | None = None
    fields: FieldSelector | None = None

    @property
    def only_namespace(self) -> bool:
        return not self.name and self.labels is None and self.fields is None

    def matches(self, entry: Entry) -> bool:
        if self.namespace and entry.namespace != self.namespace:
            return False
        if self.name and entry.name != self.name:
            return False
        if self.labels is not None and not self.labels.matches(entry.labels):
            return False
        return self.fields is None or self._fields_match(self.fields, entry)

    def _fields_match(self, fields: FieldSelector, entry: Entry) -> bool:
        for requirement in fields.requirements:
            if requirement.field == "metadata.name":
                value = entry.name
            elif requirement.field == "metadata.namespace":
                value = entry.namespace
            else:
                value = entry.fields.get(requirement.field, "")
            if (value == requirement.value) is requirement.negated:
                return False
        return True


def read_selection(query: Mapping[str, str], kind: Kind, namespace: str, name: str = "") -> Selection | None:
    """The selection a request asks for, or None if it wants every object. Raises BadRequest."""
    label_text, field_text = query.get("labelSelector", ""), query.get("fieldSelector", "")
    if not (label_text or field_text or namespace or name):
        return None
    labels = _labels(label_text) if label_text else None
    fields = _fields(field_text, kind) if field_text else None
    if fields is not None and not name:
        name = fields.exact("metadata.name") or ""
    return Selection(namespace, name, labels, fields)


def _labels(text: str) -> LabelSelector | None:
    try:
        selector = LabelSelector.parse(text)
    except SelectorError as error:
        raise BadRequest(str(error)) from error
    return None if selector.everything else selector


def _fields(text: str, kind: Kind) -> FieldSelector:
    known = (*_METADATA_FIELDS, *kind.strategy.field_names)
    try:
        selector = FieldSelector.parse(text)
    except SelectorError as error:
        raise BadRequest(str(error)) from error
    for requirement in selector.requirements:
        if requirement.field not in known:
            raise BadRequest(kind.strategy.unselectable(requirement.field))
    if aliases := kind.strategy.field_aliases:
        renamed = (replace(each, field=aliases.get(each.field, each.field)) for each in selector.requirements)
        return replace(selector, requirements=tuple(renamed))
    return selector

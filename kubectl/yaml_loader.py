"""YAML as Kubernetes reads it: JSON's types only, so a date or `1_000` in a manifest stays the text that it is."""

from __future__ import annotations

from typing import Any, ClassVar

import yaml

Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Loader(Base):  # type: ignore[misc]
    """Refuses a key given twice: one of the two would be lost without a word."""

    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in Base.yaml_implicit_resolvers.items()
    }


def _mapping(loader: Any, node: Any) -> dict[str, Any]:
    loader.flatten_mapping(node)
    result: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        name = key if isinstance(key, str) else _key(key)
        if name in result:
            raise yaml.constructor.ConstructorError(None, None, f'key "{name}" already set in map', key_node.start_mark)
        result[name] = loader.construct_object(value_node, deep=True)
    return result


def _key(key: Any) -> str:
    if isinstance(key, bool):
        return "true" if key else "false"
    return "null" if key is None else str(key)


Loader.add_constructor("tag:yaml.org,2002:map", _mapping)

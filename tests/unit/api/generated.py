"""Generated manifests of Deployments: some of their fields, of each sort that merging knows."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

Object = dict[str, Any]

names = st.sampled_from(["a", "b", "c"])


def some(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Object]:
    """Objects with some of these fields."""
    return st.fixed_dictionaries({}, optional=fields)


def elements(key: str, values: st.SearchStrategy[Any], **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Keyed lists."""
    items = st.tuples(values, some(**fields)).map(lambda pair: {key: pair[0], **pair[1]})
    return st.lists(items, min_size=1, max_size=3, unique_by=lambda item: item[key])


words = st.sampled_from(["x", "y"])
containers = elements(
    "name",
    names,
    image=words,
    command=st.lists(words, min_size=1, max_size=2),
    env=elements("name", names, value=words),
    ports=elements("containerPort", st.integers(1, 2), name=words),
    resources=some(limits=st.dictionaries(st.sampled_from(["cpu", "memory"]), st.just("1"), min_size=1)),
)
configs = some(
    metadata=some(
        labels=st.dictionaries(names, words, min_size=1),
        finalizers=st.lists(names, min_size=1, max_size=3, unique=True),
    ),
    spec=some(
        replicas=st.integers(0, 3),
        paused=st.booleans(),
        selector=some(matchLabels=st.dictionaries(names, words, min_size=1)),
        strategy=some(type=words, rollingUpdate=some(maxSurge=st.sampled_from([1, "25%"]))),
        template=some(spec=some(containers=containers, terminationGracePeriodSeconds=st.integers(0, 2))),
    ),
)


def whole(config: Object) -> Object:
    """The configuration with its type and name, without the empty maps that would be values of their own."""
    metadata = {"name": "web", **config.get("metadata", {})}
    return {"apiVersion": "apps/v1", "kind": "Deployment", **_full(config), "metadata": metadata}


def _full(value: Any) -> Any:
    if isinstance(value, dict):
        filled = {key: _full(item) for key, item in value.items()}
        return {key: item for key, item in filled.items() if item != {}}
    return [_full(item) for item in value] if isinstance(value, list) else value

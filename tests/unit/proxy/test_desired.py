"""A rule set kept by changes is the rule set built from scratch, whatever the changes were."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.chains import ChainId
from proxy.model import Endpoint, NodeView, ServicePort
from proxy.ruleset import Change, Desired
from proxy.services import Rules, ServiceRules, compile_service

NODE = NodeView("n1", "10.244.0.0/16")
KEYS = ("default/a", "default/b", "other/a")

endpoints = st.lists(
    st.builds(
        Endpoint,
        ip=st.sampled_from([f"10.244.0.{n}" for n in range(2, 6)]),
        port=st.just(8080),
        ready=st.booleans(),
        serving=st.booleans(),
        terminating=st.booleans(),
        local=st.booleans(),
    ),
    max_size=4,
    unique_by=lambda endpoint: endpoint.ip,
)
steps = st.lists(
    st.tuples(
        st.sampled_from(KEYS),
        st.one_of(
            st.none(),
            st.fixed_dictionaries(
                {
                    "port": st.sampled_from([80, 443]),
                    "node_port": st.sampled_from([0, 30080]),
                    "affinity_seconds": st.sampled_from([0, 600]),
                    "external_local": st.booleans(),
                    "internal_local": st.booleans(),
                }
            ),
        ),
        endpoints,
    ),
    max_size=8,
)


def rules_for(key: str, fields: dict[str, Any] | None, backs: list[Endpoint]) -> ServiceRules:
    if fields is None:
        return ServiceRules()
    namespace, name = key.split("/")
    port = ServicePort(namespace, name, "http", "tcp", f"10.96.0.{KEYS.index(key) + 1}", **fields)
    return compile_service([port], {("http", "tcp"): backs}, NODE)


def applied(kernel: dict[ChainId, Rules], change: Change) -> dict[ChainId, Rules]:
    """What the kernel has after a change; it refuses to lose a chain that others lead to."""
    after = {chain: rules for chain, rules in (kernel | change.write).items() if chain not in change.remove}
    names = {chain.name for chain in after if chain.table == "nat"}
    for chain, rules in after.items():
        for rule in rules:
            target = rule.rpartition(" -j ")[2]
            if chain.table == "nat" and target.startswith("KUBE-"):
                assert target in names, f"{chain.name} leads to {target}, which is gone"
    return after


@settings(max_examples=150, deadline=None)
@given(steps)
def test_changes_lead_where_a_fresh_build_leads(
    taken: list[tuple[str, dict[str, Any] | None, list[Endpoint]]],
) -> None:
    desired = Desired(NODE)
    kernel = dict(desired.whole({}).chains)
    now: dict[str, ServiceRules] = {}
    for key, fields, backs in taken:
        now[key] = rules_for(key, fields, backs)
        kernel = applied(kernel, desired.update({key: now[key]}))
        assert kernel == Desired(NODE).whole(now).chains


def test_one_changed_endpoint_touches_its_own_chains_only() -> None:
    desired = Desired(NODE)
    ports = {f"default/s{n}": ServicePort("default", f"s{n}", "", "tcp", f"10.96.1.{n}", 80) for n in range(50)}
    backs = [Endpoint(f"10.244.0.{n}", 8080) for n in range(2, 7)]
    desired.whole({key: compile_service([port], {("", "tcp"): backs}, NODE) for key, port in ports.items()})
    key = "default/s7"
    change = desired.update({key: compile_service([ports[key]], {("", "tcp"): backs[1:]}, NODE)})
    assert [chain.name[:9] for chain in change.write] == ["KUBE-SVC-"]
    assert [chain.name[:9] for chain in change.remove] == ["KUBE-SEP-"]


def test_nothing_changed_is_no_change() -> None:
    desired = Desired(NODE)
    rules = rules_for("default/a", {"port": 80}, [Endpoint("10.244.0.2", 8080)])
    assert desired.update({"default/a": rules})
    assert not desired.update({"default/a": rules_for("default/a", {"port": 80}, [Endpoint("10.244.0.2", 8080)])})

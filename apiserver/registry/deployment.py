"""Deployment: rolls a set of pods from one template to the next."""

from __future__ import annotations

from apiserver.registry.kind import Kind, Scale, Strategy


class DeploymentStrategy(Strategy):
    has_generation = True


KIND = Kind(
    group="apps",
    version="v1",
    kind="Deployment",
    plural="deployments",
    definition="io.k8s.api.apps.v1.Deployment",
    singular="deployment",
    strategy=DeploymentStrategy(),
    short_names=("deploy",),
    categories=("all",),
    status=True,
    scale=Scale(),
)

"""MutatingWebhookConfiguration: which services may change an object before it is stored, and when they are asked."""

from __future__ import annotations

from apiserver.registry.kind import Kind
from apiserver.registry.webhookconfigurations import COLUMNS, WebhooksStrategy

KIND = Kind(
    group="admissionregistration.k8s.io",
    version="v1",
    kind="MutatingWebhookConfiguration",
    plural="mutatingwebhookconfigurations",
    definition="io.k8s.api.admissionregistration.v1.MutatingWebhookConfiguration",
    singular="mutatingwebhookconfiguration",
    strategy=WebhooksStrategy(reinvokes=True),
    namespaced=False,
    categories=("api-extensions",),
    columns=COLUMNS,
)

"""ValidatingWebhookConfiguration: which services may refuse a request, and when they are asked."""

from __future__ import annotations

from apiserver.registry.kind import Kind
from apiserver.registry.webhookconfigurations import COLUMNS, WebhooksStrategy

KIND = Kind(
    group="admissionregistration.k8s.io",
    version="v1",
    kind="ValidatingWebhookConfiguration",
    plural="validatingwebhookconfigurations",
    definition="io.k8s.api.admissionregistration.v1.ValidatingWebhookConfiguration",
    singular="validatingwebhookconfiguration",
    strategy=WebhooksStrategy(reinvokes=False),
    namespaced=False,
    categories=("api-extensions",),
    columns=COLUMNS,
)

"""How objects of one version become objects of another: not at all, or by a webhook."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from api import names
from api.field import FieldError, forbidden, invalid, not_supported, required
from apiserver.registry.webhookclient import validate_client

NONE, WEBHOOK = "None", "Webhook"
REVIEW_VERSIONS = ("v1", "v1beta1")
"""The versions of ConversionReview that this server speaks, the preferred one first."""

_AT = "spec.conversion"
_UNUSED = "should not be set when strategy is not set to Webhook"


def validate_conversion(conversion: Mapping[str, Any]) -> list[FieldError]:
    strategy, webhook = conversion.get("strategy") or "", conversion.get("webhook")
    if strategy == WEBHOOK:
        return list(_webhook(webhook or {}))
    errors = [] if strategy else [required(f"{_AT}.strategy")]
    if strategy and strategy != NONE:
        errors.append(not_supported(f"{_AT}.strategy", strategy, (NONE, WEBHOOK)))
    if webhook is not None:
        errors.append(forbidden(f"{_AT}.webhookClientConfig", _UNUSED))
    return errors


def _webhook(webhook: Mapping[str, Any]) -> Iterable[FieldError]:
    client, at = webhook.get("clientConfig"), f"{_AT}.webhookClientConfig"
    if client is None:
        yield required(at, "required when strategy is set to Webhook")
    else:
        yield from validate_client(client, at)
    yield from _reviews(webhook.get("conversionReviewVersions") or ())


def _reviews(versions: Sequence[str]) -> Iterable[FieldError]:
    at = f"{_AT}.conversionReviewVersions"
    if not versions:
        yield required(at)
        return
    for index, version in enumerate(versions):
        if version in versions[:index]:
            yield invalid(f"{at}[{index}]", version, "duplicate version")
        elif wrong := names.dns1035_label(version):
            yield invalid(f"{at}[{index}]", version, ",".join(wrong))
    if not set(versions) & set(REVIEW_VERSIONS):
        yield invalid(at, list(versions), f"must include at least one of {', '.join(REVIEW_VERSIONS)}")

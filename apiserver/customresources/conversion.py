"""Between the versions of a custom kind: by changing nothing but the version's name, or by asking a webhook.

Either way the object then is what the schema of its new version says: without fields that this version does not know,
and with its defaults. Webhooks may change labels and annotations, and nothing else of the metadata.
"""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

import orjson

from api import schema as schemas
from api.errors import StatusError
from api.field import quote
from api.schema import Structural, structural
from api.schema.defaults import Fill, defaulter
from apiserver.registry.conversion import Convert
from apiserver.registry.definitions.conversion import REVIEW_VERSIONS, WEBHOOK
from apiserver.registry.definitions.versions import schema_of
from apiserver.registry.kind import Object
from apiserver.remote.webhook import WebhookError

if TYPE_CHECKING:
    from apiserver.remote.webhook import Webhooks

GROUP = "apiextensions.k8s.io"
SECONDS = 30
_SAME = (("name", "name"), ("namespace", "namespace"), ("uid", "UID"))
_CHANGEABLE = ("labels", "annotations")


def conversion_of(crd: Object, webhooks: Webhooks) -> Convert | None:
    """How the definition's objects are converted; None when nothing but the name of the version differs."""
    spec = crd["spec"]
    conversion = spec.get("conversion") or {}
    versions = spec["versions"]
    if conversion.get("strategy") == WEBHOOK:
        return _Conversion(crd, _Webhook(conversion["webhook"], webhooks).convert).convert
    if all(schema_of(version) == schema_of(versions[0]) for version in versions):
        return None
    return _Conversion(crd, _renamed).convert


Change = Callable[[list[Object], str], Awaitable[list[Object]]]
"""Makes fresh objects in another version of those given."""


class _Conversion:
    """The conversion of one definition's objects."""

    def __init__(self, crd: Object, change: Change) -> None:
        group = crd["spec"]["group"]
        self._change = change
        self._schemas: dict[str, Structural] = {
            f"{group}/{version['name']}": structural(schema_of(version) or {}) for version in crd["spec"]["versions"]
        }
        self._fills: dict[str, Fill | None] = {}

    async def convert(self, objects: list[Object], api_version: str) -> list[Object]:
        """Raises StatusError."""
        given: list[Object] = [orjson.loads(orjson.dumps(obj)) for obj in objects]
        for obj in given:
            self._complete(obj)
        changed = await self._change(given, api_version)
        for obj in changed:
            schemas.prune(self._schemas[api_version], obj)
            self._complete(obj)
        return changed

    def _complete(self, obj: Object) -> None:
        """Fill in the defaults of the object's own version."""
        version = obj["apiVersion"]
        if version not in self._fills:
            self._fills[version] = defaulter(self._schemas[version]) if version in self._schemas else None
        if (fill := self._fills[version]) is not None:
            fill(obj)


async def _renamed(objects: list[Object], api_version: str) -> list[Object]:
    for obj in objects:
        obj["apiVersion"] = api_version
    return objects


class _Webhook:
    """Objects sent to a webhook for conversion, all of a list at once."""

    def __init__(self, webhook: Mapping[str, Any], webhooks: Webhooks) -> None:
        self._client = webhook["clientConfig"]
        self._webhooks = webhooks
        self._review = next(each for each in webhook["conversionReviewVersions"] if each in REVIEW_VERSIONS)

    async def convert(self, objects: list[Object], api_version: str) -> list[Object]:
        """Raises StatusError."""
        what = f"conversion webhook for {_kind_of(objects[0])}"
        uid = str(uuid.uuid4())
        review = {
            "kind": "ConversionReview",
            "apiVersion": f"{GROUP}/{self._review}",
            "request": {"uid": uid, "desiredAPIVersion": api_version, "objects": objects},
        }
        try:
            answer = await self._webhooks.post(self._client, review, SECONDS)
            converted = self._converted(answer, uid)
        except (WebhookError, _BadAnswer) as error:
            raise StatusError(f"{what} failed: {error}") from error
        if len(converted) != len(objects):
            raise StatusError(f"{what} returned {len(converted)} objects, expected {len(objects)}")
        for index, (before, after) in enumerate(zip(objects, converted, strict=True)):
            if why := _restore(before, after, api_version):
                raise StatusError(f"{what} returned invalid converted object at index {index}: {why}")
        return converted

    def _converted(self, answer: Object, uid: str) -> list[Any]:
        """The objects in a webhook's answer. Raises _BadAnswer."""
        expected = f"{GROUP}/{self._review}, Kind=ConversionReview"
        if self._review == "v1" and _kind_of(answer) != expected:
            raise _BadAnswer(f"expected webhook response of {expected}, got {_kind_of(answer)}")
        response = answer.get("response")
        if not isinstance(response, dict):
            raise _BadAnswer("no response provided")
        if self._review == "v1" and response.get("uid") != uid:
            raise _BadAnswer(f"expected response.uid={quote(uid)}, got {quote(str(response.get('uid') or ''))}")
        result = response.get("result")
        result = result if isinstance(result, dict) else {}
        if result.get("status") != "Success":
            text = f"response.result.status was '{result.get('status') or ''}', not 'Success'"
            raise _BadAnswer(str(result.get("message") or text))
        found = response.get("convertedObjects")
        return found if isinstance(found, list) else []


class _BadAnswer(Exception):
    """What a webhook says cannot be used, or is that it failed."""


def _kind_of(obj: Mapping[str, Any]) -> str:
    return f"{obj.get('apiVersion')}, Kind={obj.get('kind')}"


def _restore(before: Object, after: Any, api_version: str) -> str:
    """Put what a webhook may not change back into what it answered, in place; or why its answer is no good."""
    if not isinstance(after, dict) or not isinstance(after.get("metadata"), dict):
        return "it is no object with metadata"
    if after.get("apiVersion") != api_version:
        return f"invalid groupVersion (expected {api_version}, received {after.get('apiVersion')})"
    if after.get("kind") != before["kind"]:
        return f"invalid kind (expected {before['kind']}, received {after.get('kind')})"
    old, new = before["metadata"], after["metadata"]
    for field, called in _SAME:
        if (old.get(field) or "") != (new.get(field) or ""):
            return f"must have the same {called}: {old.get(field) or ''} != {new.get(field) or ''}"
    kept = {field: value for field, value in old.items() if field not in _CHANGEABLE}
    for field in _CHANGEABLE:
        values = new.get(field)
        if not isinstance(values, dict | None) or not all(isinstance(each, str) for each in (values or {}).values()):
            return f"metadata.{field} must be a map of strings"
        if values:
            kept[field] = values
    after["metadata"] = kept
    return ""

"""Secret: data that must not be shown. Its well-known types say which entries it must have."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import datetime

from api import names
from api.field import FieldError, invalid, required, too_long
from apiserver.registry import binary, rules
from apiserver.registry.configmap import LIMIT, sealed
from apiserver.registry.kind import Column, Context, Kind, Object, Strategy

_ACCOUNT = "kubernetes.io/service-account.name"
_JSON_KEYS = {
    "kubernetes.io/dockercfg": ".dockercfg",
    "kubernetes.io/dockerconfigjson": ".dockerconfigjson",
}
_JSON_NAMES = {list: "array", str: "string", bool: "bool", int: "number", float: "number"}
_REDACTED = "<secret contents redacted>"


class SecretStrategy(Strategy):
    field_names = ("type",)

    def default(self, obj: Object) -> None:
        if not obj.get("type"):
            obj["type"] = "Opaque"
        binary.check(obj.get("data"), "Secret")
        plain = obj.pop("stringData", None)
        if plain:
            data = obj["data"] = dict(obj.get("data") or {})
            for key, value in plain.items():
                data[key] = base64.b64encode((value or "").encode()).decode()

    def validate(self, obj: Object, ctx: Context) -> list[FieldError]:
        errors: list[FieldError] = []
        data = obj.get("data") or {}
        for key in data:
            errors += [invalid(f"data[{key}]", key, why) for why in names.config_key(key)]
        if sum(map(binary.size, data.values())) > LIMIT:
            errors.append(too_long("data", "", LIMIT))
        return errors + _typed(obj, data)

    def validate_update(self, new: Object, old: Object, ctx: Context) -> list[FieldError]:
        errors = rules.immutable(new.get("type"), old.get("type"), "type")
        return errors + sealed(new, old, ("data",)) + self.validate(new, ctx)

    def fields(self, obj: Object) -> Mapping[str, str]:
        return {"type": obj.get("type") or ""}


def _typed(obj: Object, data: Mapping[str, str]) -> list[FieldError]:
    kind = obj.get("type")
    if kind == "Opaque":
        return []
    if kind == "kubernetes.io/service-account-token":
        if (obj["metadata"].get("annotations") or {}).get(_ACCOUNT):
            return []
        return [required(f"metadata.annotations[{_ACCOUNT}]")]
    if kind in _JSON_KEYS:
        return _json(data, _JSON_KEYS[kind])
    if kind == "kubernetes.io/basic-auth":
        keys = ("username", "password")
        return [] if any(key in data for key in keys) else [required(f"data[{key}]") for key in keys]
    if kind == "kubernetes.io/ssh-auth":
        return [] if data.get("ssh-privatekey") else [required("data[ssh-privatekey]")]
    if kind == "kubernetes.io/tls":
        return [required(f"data[{key}]") for key in ("tls.crt", "tls.key") if key not in data]
    return []


def _json(data: Mapping[str, str], key: str) -> list[FieldError]:
    if key not in data:
        return [required(f"data[{key}]")]
    text = base64.b64decode(data[key] or "").decode(errors="replace")
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        rest = text[error.pos :].lstrip()
        why = (
            f"invalid character '{rest[0]}' looking for beginning of value" if rest else "unexpected end of JSON input"
        )
        return [invalid(f"data[{key}]", _REDACTED, why)]
    if found is None or isinstance(found, dict):
        return []
    why = f"json: cannot unmarshal {_JSON_NAMES[type(found)]} into Go value of type map[string]interface {{}}"
    return [invalid(f"data[{key}]", _REDACTED, why)]


def _type(obj: Object, now: datetime) -> str:
    return obj.get("type") or ""


def _count(obj: Object, now: datetime) -> int:
    return len(obj.get("data") or ())


KIND = Kind(
    group="",
    version="v1",
    kind="Secret",
    plural="secrets",
    definition="io.k8s.api.core.v1.Secret",
    singular="secret",
    strategy=SecretStrategy(),
    columns=(
        Column("Type", _type, description="Used to facilitate programmatic handling of secret data"),
        Column("Data", _count, type="string", description="The number of entries"),
    ),
)

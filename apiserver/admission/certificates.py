"""Who may approve, deny and sign requests for certificates, and which are never taken."""

from __future__ import annotations

from typing import TYPE_CHECKING

from apiserver.auth.authorize import Attempt, allowed
from apiserver.auth.user import MASTERS
from apiserver.registry.certificate_rules import decoded
from apiserver.registry.kind import Object

if TYPE_CHECKING:
    from apiserver.admission.attributes import Attributes
    from apiserver.endpoints.state import State

GROUP, PLURAL = "certificates.k8s.io", "certificatesigningrequests"
CLIENT_SIGNER = "kubernetes.io/kube-apiserver-client"


async def may(state: State, attributes: Attributes, obj: Object | None, old: Object | None) -> None:
    """Refuse who has no say over the signer, and certificates that would make their owner an administrator."""
    kind = attributes.resource.kind
    if obj is None or (kind.plural, kind.group) != (PLURAL, GROUP):
        return
    if attributes.operation == "create" and not attributes.subresource:
        if (obj.get("spec") or {}).get("signerName") == CLIENT_SIGNER and MASTERS in _organizations(obj):
            raise attributes.forbidden(f"use of {CLIENT_SIGNER} signer with {MASTERS} group is not allowed")
    elif old is not None and attributes.operation == "update":
        signer = (old.get("spec") or {}).get("signerName") or ""
        if attributes.subresource == "approval":
            _check(attributes, "approve", signer)
        elif attributes.subresource == "status" and _signs(obj, old):
            _check(attributes, "sign", signer)


def _check(attributes: Attributes, verb: str, signer: str) -> None:
    if not allowed(attributes.user, Attempt(verb, "signers", GROUP, name=signer)):
        raise attributes.forbidden(f'user not permitted to {verb} requests with signerName "{signer}"')


def _signs(obj: Object, old: Object) -> bool:
    status, before = obj.get("status") or {}, old.get("status") or {}
    return any(status.get(field) != before.get(field) for field in ("certificate", "conditions"))


def _organizations(obj: Object) -> list[str]:
    """Of the subject that a request names; none if it cannot be read, which the kind's own rules refuse."""
    from cryptography import x509  # large, and rarely needed

    try:
        subject = x509.load_pem_x509_csr(decoded(obj["spec"].get("request") or "")).subject
    except ValueError:
        return []
    return [str(each.value) for each in subject.get_attributes_for_oid(x509.NameOID.ORGANIZATION_NAME)]

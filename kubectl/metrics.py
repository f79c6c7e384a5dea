"""The metrics API, asked for `top`."""

from __future__ import annotations

from typing import Any

from api.errors import NotFound, StatusError
from kubectl.errors import CliError
from kubectl.session import Session

_API = "/apis/metrics.k8s.io/v1beta1"
Object = dict[str, Any]


def of_nodes(session: Session, name: str, query: dict[str, Any]) -> list[Object]:
    return _items(session, f"{_API}/nodes", name, query)


def of_pods(session: Session, namespace: str | None, name: str, query: dict[str, Any]) -> list[Object]:
    """Of all namespaces if none is given."""
    return _items(session, f"{_API}/namespaces/{namespace}/pods" if namespace else f"{_API}/pods", name, query)


def _items(session: Session, path: str, name: str, query: dict[str, Any]) -> list[Object]:
    try:
        if name:
            return [session.server.call("GET", f"{path}/{name}")]
        items: list[Object] = session.server.call("GET", path, query).get("items") or []
        return items
    except NotFound as error:
        if not (error.details or {}).get("name"):
            raise CliError("Metrics API not available") from error
        raise
    except StatusError as error:
        if error.code == 503:
            raise CliError("Metrics API not available") from error
        raise

"""Where a webhook is: the rules of a `clientConfig`, the same for admission and for the conversion of custom kinds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from api import names
from api.field import FieldError, invalid, required

_FORM = "; desired format: https://host[/path]"
_PORT = "must be between 1 and 65535, inclusive"
DEFAULT_PORT = 443


def default_service(service: Any) -> None:
    """Name the port of a reference to a Service, if there is such a reference."""
    if service is not None and service.get("port") is None:
        service["port"] = DEFAULT_PORT


def validate_client(client: Mapping[str, Any], at: str) -> list[FieldError]:
    """A clientConfig: a URL or a Service, not both."""
    url, service = client.get("url"), client.get("service")
    if (url is None) == (service is None):
        return [required(at, "exactly one of url or service is required")]
    if url is not None:
        return validate_url(url, f"{at}.url")
    return validate_service(service or {}, f"{at}.service")


def validate_url(url: str, at: str) -> list[FieldError]:
    """An address that says nothing but scheme, host and path."""
    try:
        parts = urlsplit(url)
    except ValueError as error:
        return [required(at, f"url must be a valid URL: {error}{_FORM}")]
    errors = []
    if parts.scheme != "https":
        errors.append(invalid(at, parts.scheme, f"'https' is the only allowed URL scheme{_FORM}"))
    user, _, host = parts.netloc.rpartition("@")
    if not host:
        errors.append(invalid(at, host, f"host must be specified{_FORM}"))
    if user:
        errors.append(invalid(at, user, "user information is not permitted in the URL"))
    if parts.fragment:
        errors.append(invalid(at, parts.fragment, "fragments are not permitted in the URL"))
    if parts.query:
        errors.append(invalid(at, parts.query, "query parameters are not permitted in the URL"))
    return errors


def validate_service(service: Mapping[str, Any], at: str) -> list[FieldError]:
    """A reference to a Service, and the path to ask it for."""
    errors = [required(f"{at}.{field}", f"service {field} is required") for field in ("name", "namespace")]
    errors = [error for error in errors if not service.get(error.field.rpartition(".")[2])]
    errors += port_of_service(service, at)
    if service.get("path"):
        errors += _path(service["path"], f"{at}.path")
    return errors


def port_of_service(service: Mapping[str, Any], at: str) -> list[FieldError]:
    port = service.get("port") or 0
    return [] if 0 < port < 65536 else [invalid(f"{at}.port", port, f"port is not valid: {_PORT}")]


def _path(path: str, at: str) -> list[FieldError]:
    if path == "/":
        return []
    if path == "//":
        return [invalid(at, path, "segment[0] may not be empty")]
    errors = [] if path.startswith("/") else [invalid(at, path, "must start with a '/'")]
    for index, step in enumerate(path[1:].removesuffix("/").split("/")):
        if not step:
            errors.append(invalid(at, path, f"segment[{index}] may not be empty"))
            continue
        errors += [invalid(at, path, f"segment[{index}]: {why}") for why in names.dns1123_subdomain(step)]
    return errors

"""The variables by which a container finds Services: a host and ports each, as Docker's links once had them."""

from __future__ import annotations

from collections.abc import Iterable

from api.types import core_v1


def service_variables(services: Iterable[core_v1.Service], namespace: str, *, links: bool) -> dict[str, str]:
    """Of the namespace's Services (`links`), and always of default/kubernetes, unless the namespace has one of that
    name itself."""
    shown: dict[str, core_v1.Service] = {}
    for service in services:
        metadata, spec = service.metadata, service.spec
        if metadata is None or spec is None or spec.clusterIP in (None, "", "None"):
            continue
        if links and metadata.namespace == namespace:
            shown[str(metadata.name)] = service
        elif (metadata.namespace, metadata.name) == ("default", "kubernetes"):
            shown.setdefault("kubernetes", service)
    values: dict[str, str] = {}
    for name, service in shown.items():
        assert service.spec is not None
        values |= _service(name, str(service.spec.clusterIP), service.spec.ports or [])
    return values


def _service(name: str, address: str, ports: list[core_v1.ServicePort]) -> dict[str, str]:
    prefix = name.upper().replace("-", "_")
    values = {f"{prefix}_SERVICE_HOST": address}
    if not ports:
        return values
    values[f"{prefix}_SERVICE_PORT"] = str(ports[0].port)
    first = ports[0]
    host = f"[{address}]" if ":" in address else address
    values[f"{prefix}_PORT"] = f"{(first.protocol or 'TCP').lower()}://{host}:{first.port}"
    for port in ports:
        protocol = port.protocol or "TCP"
        if port.name:
            values[f"{prefix}_SERVICE_PORT_{port.name.upper().replace('-', '_')}"] = str(port.port)
        stem = f"{prefix}_PORT_{port.port}_{protocol}"
        values[stem] = f"{protocol.lower()}://{host}:{port.port}"
        values[f"{stem}_PROTO"] = protocol.lower()
        values[f"{stem}_PORT"] = str(port.port)
        values[f"{stem}_ADDR"] = address
    return values

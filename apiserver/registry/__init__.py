"""The kinds this server serves. To add one, write its file beside this one and list it here: routes, discovery, tables
and storage keys follow from the declaration.
"""

from __future__ import annotations

from apiserver.registry import (
    apiservice,
    configmap,
    controllerrevision,
    deployment,
    endpoints,
    endpointslice,
    event,
    lease,
    mutatingwebhookconfiguration,
    namespace,
    node,
    pod,
    replicaset,
    secret,
    service,
    serviceaccount,
    validatingwebhookconfiguration,
)
from apiserver.registry.kind import Kind

KINDS: tuple[Kind, ...] = (
    namespace.KIND,
    node.KIND,
    pod.KIND,
    service.KIND,
    endpoints.KIND,
    endpointslice.KIND,
    configmap.KIND,
    secret.KIND,
    event.KIND,
    serviceaccount.KIND,
    lease.KIND,
    replicaset.KIND,
    deployment.KIND,
    controllerrevision.KIND,
    mutatingwebhookconfiguration.KIND,
    validatingwebhookconfiguration.KIND,
    apiservice.KIND,
)

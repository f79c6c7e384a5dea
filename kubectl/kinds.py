"""The built-in kinds that commands name themselves; all others are learned from the server."""

from __future__ import annotations

from kubectl.discovery import Resource

NAMESPACE = Resource("", "v1", "namespaces", "Namespace", "namespace", False)
CONFIG_MAP = Resource("", "v1", "configmaps", "ConfigMap", "configmap", True)
SECRET = Resource("", "v1", "secrets", "Secret", "secret", True)
SERVICE = Resource("", "v1", "services", "Service", "service", True)
SERVICE_ACCOUNT = Resource("", "v1", "serviceaccounts", "ServiceAccount", "serviceaccount", True)
DEPLOYMENT = Resource("apps", "v1", "deployments", "Deployment", "deployment", True)
POD = Resource("", "v1", "pods", "Pod", "pod", True)
REPLICA_SET = Resource("apps", "v1", "replicasets", "ReplicaSet", "replicaset", True)
NODE = Resource("", "v1", "nodes", "Node", "node", False)
EVENT = Resource("", "v1", "events", "Event", "event", True)
LEASE = Resource("coordination.k8s.io", "v1", "leases", "Lease", "lease", True)
ENDPOINT_SLICE = Resource("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice", "endpointslice", True)
RESOURCE_QUOTA = Resource("", "v1", "resourcequotas", "ResourceQuota", "resourcequota", True)
LIMIT_RANGE = Resource("", "v1", "limitranges", "LimitRange", "limitrange", True)

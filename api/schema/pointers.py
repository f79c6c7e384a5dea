"""Which optional scalars may be zero and still mean something.

A protobuf body from a Go client carries most empty fields as zeros, while JSON leaves them out; only where the Go
type is a pointer does a zero on the wire say that somebody set it (`replicas: 0`, `automountServiceAccountToken:
false`). The OpenAPI definitions do not tell the two apart, hence this list of the API's optional pointers to scalars.
"""

from __future__ import annotations

_ANYWHERE = frozenset(
    """
    activeDeadlineSeconds adminAccess allocateLoadBalancerNodePorts allowPrivilegeEscalation allowVolumeExpansion
    appProtocol attachRequired automountServiceAccountToken averageUtilization backoffLimit backoffLimitPerIndex
    blockOwnerDeletion borrowingLimitPercent collisionCount completions controller defaultMode
    deletionGracePeriodSeconds enableServiceLinks endPort errorCode expirationSeconds failedJobsHistoryLimit fsGroup
    gracePeriodSeconds hostProcess hostUsers immutable leaseDurationSeconds leaseTransitions lendablePercent
    localhostProfile manualSelector maxFailedIndexes maximum maxItems maxLength maxProperties minDomains minimum
    minItems minLength minProperties minReplicas multipleOf nodeAllocatableUpdatePeriodSeconds
    nominalConcurrencyShares optional orphanDependents parallelism partition podInfoOnMount privileged
    progressDeadlineSeconds readOnlyRootFilesystem recursiveReadOnly requiresRepublish revisionHistoryLimit
    runAsGroup runAsNonRoot runAsUser seLinuxMount setHostnameAsFQDN shareProcessNamespace
    stabilizationWindowSeconds startingDeadlineSeconds storageCapacity storageClassName successfulJobsHistoryLimit
    suspend targetCPUUtilizationPercentage terminatingReplicas terminationGracePeriodSeconds tolerationSeconds
    ttlSecondsAfterFinished volumeAttributesClassName
    """.split()  # noqa: SIM905
)

_IN: dict[str, frozenset[str]] = {
    message: frozenset(names.split())
    for message, names in {
        "AzureDiskVolumeSource": "fsType readOnly",
        "CSIDriverSpec": "preventPodSchedulingIfMissing serviceAccountTokenInSecrets",
        "CSIVolumeSource": "fsType readOnly",
        "ClientIPConfig": "timeoutSeconds",
        "ContainerStatus": "started",
        "DaemonSetStatus": "collisionCount",
        "DeploymentSpec": "replicas",
        "Endpoint": "hostname nodeName zone",
        "EndpointAddress": "nodeName",
        "EndpointConditions": "ready serving terminating",
        "EndpointPort": "name port protocol appProtocol",
        "FCVolumeSource": "lun",
        "GRPCAction": "service",
        "HostPathVolumeSource": "type",
        "IngressClassParametersReference": "namespace scope apiGroup",
        "JSONSchemaProps": "x-kubernetes-preserve-unknown-fields",
        "JobStatus": "ready terminating",
        "KeyToPath": "mode",
        "DownwardAPIVolumeFile": "mode",
        "ListOptions": "timeoutSeconds",
        "MutatingWebhook": "timeoutSeconds",
        "NodeFeatures": "supplementalGroupsPolicy",
        "NodeRuntimeHandlerFeatures": "recursiveReadOnlyMounts userNamespaces",
        "NodeSwapStatus": "capacity",
        "PodCertificateProjection": "maxExpirationSeconds",
        "PodSpec": "priority runtimeClassName",
        "Preconditions": "uid resourceVersion",
        "ReplicaSetSpec": "replicas",
        "ReplicationControllerSpec": "replicas",
        "ScaleSpec": "replicas",
        "ServiceReference": "port path",
        "StatefulSetSpec": "replicas",
        "SuccessPolicyRule": "succeededCount",
        "TypedLocalObjectReference": "apiGroup",
        "TypedObjectReference": "apiGroup namespace",
        "ValidatingWebhook": "timeoutSeconds",
        "VolumeNodeResources": "count",
    }.items()
}


def is_pointer(message: str, field: str) -> bool:
    """Whether a zero in this field, as JSON calls it, was set on purpose."""
    return field in _ANYWHERE or field in _IN.get(message, ())

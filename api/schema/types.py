"""The Go names of types, which the decoder's messages show: `int32`, `v1.PodSpec`, `[]v1.Container`.

Strings with a type of their own (`v1.PullPolicy`) look like any string in the schema; those people set are listed here.
"""

from __future__ import annotations

from api.schema.node import Form, Schema

_SCALARS = {
    Form.STRING: "string",
    Form.BOOL: "bool",
    Form.INT32: "int32",
    Form.INT64: "int64",
    Form.FLOAT: "float64",
    Form.BYTES: "[]uint8",
    Form.TIME: "v1.Time",
    Form.MICRO_TIME: "v1.MicroTime",
    Form.QUANTITY: "resource.Quantity",
    Form.INT_OR_STRING: "intstr.IntOrString",
    Form.OBJECT: "map[string]interface {}",
    Form.ANY: "interface {}",
}


_NAMED = {
    "BoundObjectReference.uid": "types.UID",
    "Capabilities.add": "v1.Capability",
    "Capabilities.drop": "v1.Capability",
    "Container.imagePullPolicy": "v1.PullPolicy",
    "Container.restartPolicy": "v1.ContainerRestartPolicy",
    "Container.terminationMessagePolicy": "v1.TerminationMessagePolicy",
    "ContainerPort.protocol": "v1.Protocol",
    "DeleteOptions.propagationPolicy": "v1.DeletionPropagation",
    "DeploymentStrategy.type": "v1.DeploymentStrategyType",
    "EmptyDirVolumeSource.medium": "v1.StorageMedium",
    "EndpointPort.protocol": "v1.Protocol",
    "EndpointSlice.addressType": "v1.AddressType",
    "HTTPGetAction.scheme": "v1.URIScheme",
    "HostPathVolumeSource.type": "v1.HostPathType",
    "LabelSelectorRequirement.operator": "v1.LabelSelectorOperator",
    "LoadBalancerIngress.ipMode": "v1.LoadBalancerIPMode",
    "NamespaceSpec.finalizers": "v1.FinalizerName",
    "NodeAddress.type": "v1.NodeAddressType",
    "NodeCondition.status": "v1.ConditionStatus",
    "NodeCondition.type": "v1.NodeConditionType",
    "NodeSelectorRequirement.operator": "v1.NodeSelectorOperator",
    "ObjectMeta.uid": "types.UID",
    "OwnerReference.uid": "types.UID",
    "PodCondition.status": "v1.ConditionStatus",
    "PodCondition.type": "v1.PodConditionType",
    "PodSecurityContext.fsGroupChangePolicy": "v1.PodFSGroupChangePolicy",
    "PodSpec.dnsPolicy": "v1.DNSPolicy",
    "PodSpec.preemptionPolicy": "v1.PreemptionPolicy",
    "PodSpec.restartPolicy": "v1.RestartPolicy",
    "PodStatus.phase": "v1.PodPhase",
    "Preconditions.uid": "types.UID",
    "SeccompProfile.type": "v1.SeccompProfileType",
    "Secret.type": "v1.SecretType",
    "SecurityContext.procMount": "v1.ProcMountType",
    "ServicePort.protocol": "v1.Protocol",
    "ServiceSpec.externalTrafficPolicy": "v1.ServiceExternalTrafficPolicy",
    "ServiceSpec.internalTrafficPolicy": "v1.ServiceInternalTrafficPolicy",
    "ServiceSpec.ipFamilies": "v1.IPFamily",
    "ServiceSpec.ipFamilyPolicy": "v1.IPFamilyPolicy",
    "ServiceSpec.sessionAffinity": "v1.ServiceAffinity",
    "ServiceSpec.type": "v1.ServiceType",
    "Taint.effect": "v1.TaintEffect",
    "Toleration.effect": "v1.TaintEffect",
    "Toleration.operator": "v1.TolerationOperator",
    "TopologySpreadConstraint.whenUnsatisfiable": "v1.UnsatisfiableConstraintAction",
    "VolumeMount.mountPropagation": "v1.MountPropagationMode",
}
"""Struct and field → type of the string, or of the list's strings."""


_EMBEDDED: dict[str, tuple[str, frozenset[str]]] = {
    struct: (inner, frozenset(own.split()))
    for struct, (inner, own) in {
        "ConfigMapEnvSource": ("LocalObjectReference", "optional"),
        "ConfigMapKeySelector": ("LocalObjectReference", "key optional"),
        "ConfigMapProjection": ("LocalObjectReference", "items optional"),
        "ConfigMapVolumeSource": ("LocalObjectReference", "defaultMode items optional"),
        "EphemeralContainer": ("EphemeralContainerCommon", "targetContainerName"),
        "IngressRule": ("IngressRuleValue", "host"),
        "PersistentVolumeSpec": (
            "PersistentVolumeSource",
            "accessModes capacity claimRef mountOptions nodeAffinity persistentVolumeReclaimPolicy storageClassName "
            "volumeAttributesClassName volumeMode",
        ),
        "Probe": (
            "ProbeHandler",
            "failureThreshold initialDelaySeconds periodSeconds successThreshold terminationGracePeriodSeconds "
            "timeoutSeconds",
        ),
        "SecretEnvSource": ("LocalObjectReference", "optional"),
        "SecretKeySelector": ("LocalObjectReference", "key optional"),
        "SecretProjection": ("LocalObjectReference", "items optional"),
        "Volume": ("VolumeSource", "name"),
    }.items()
}
"""Structs with another embedded: its name, and the fields that are not its."""


def embedded(struct: str, field: str) -> tuple[str, ...]:
    """The embedded struct that a field comes from, which the decoder names on the way to it; else nothing."""
    inner, own = _EMBEDDED.get(struct, ("", frozenset[str]()))
    return (inner,) if inner and field not in own else ()


def type_name(schema: Schema, place: str = "") -> str:
    """The type's name with its package, as Go prints it. `place` is the struct and field (`Container.image`)."""
    if schema.name and schema.form in (Form.STRUCT, Form.OBJECT):
        package, _, name = schema.name.rpartition(".")
        return f"{package.rpartition('.')[2]}.{name}"
    if schema.form is Form.LIST:
        return f"[]{type_name(schema.items, place)}"
    if schema.form is Form.MAP:
        values = schema.values
        return "v1.ResourceList" if values.form is Form.QUANTITY else f"map[string]{type_name(values)}"
    if schema.form is Form.STRING and (place in _NAMED or place.endswith("Condition.status")):
        return _NAMED.get(place, "v1.ConditionStatus")
    return _SCALARS.get(schema.form, "map[string]interface {}")

"""Kubernetes' own configuration file of a kubelet, `kind: KubeletConfiguration`, read into this kubelet's options.

Its fields are kubelet.config.k8s.io/v1beta1's. One that isn't there is an error that names it; one that means something
to Kubernetes' kubelet only is let by, and named in a warning. Flags win over the file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from daemon.options import Kinds, from_yaml

KIND = "KubeletConfiguration"
API_VERSION = "kubelet.config.k8s.io/v1beta1"

_SAME = """
    address allowedUnsafeSysctls cgroupDriver cgroupRoot cgroupsPerQOS clusterDNS clusterDomain
    containerLogMaxFiles containerLogMaxSize cpuCFSQuota cpuCFSQuotaPeriod enableDebuggingHandlers
    enforceNodeAllocatable eventBurst evictionMaxPodGracePeriod evictionPressureTransitionPeriod failSwapOn
    fileCheckFrequency imageGCHighThresholdPercent imageGCLowThresholdPercent imageMaximumGCAge imageMinimumGCAge
    localStorageCapacityIsolation maxParallelImagePulls maxPods nodeLeaseDurationSeconds nodeStatusMaxImages
    nodeStatusReportFrequency nodeStatusUpdateFrequency podCIDR podsPerCore port providerID readOnlyPort
    registerNode registryBurst seccompDefault serializeImagePulls shutdownGracePeriod
    shutdownGracePeriodCriticalPods streamingConnectionIdleTimeout tlsCertFile tlsCipherSuites tlsMinVersion
"""
"""Fields whose options have the same name."""

_RENAMED = {
    "authentication.anonymous.enabled": "anonymous_auth",
    "authentication.webhook.cacheTTL": "authentication_token_webhook_cache_ttl",
    "authentication.webhook.enabled": "authentication_token_webhook",
    "authentication.x509.clientCAFile": "client_ca_file",
    "authorization.mode": "authorization_mode",
    "authorization.webhook.cacheAuthorizedTTL": "authorization_webhook_cache_authorized_ttl",
    "authorization.webhook.cacheUnauthorizedTTL": "authorization_webhook_cache_unauthorized_ttl",
    "crashLoopBackOff.maxContainerRestartPeriod": "max_container_restart_period",
    "eventRecordQPS": "event_qps",
    "podPidsLimit": "pod_max_pids",
    "registryPullQPS": "registry_qps",
    "resolvConf": "resolv_conf",
    "staticPodPath": "pod_manifest_path",
    "syncFrequency": "sync_period",
    "tlsPrivateKeyFile": "tls_key_file",
}

_MAPS = {
    "evictionHard": "<",
    "evictionMinimumReclaim": "=",
    "evictionSoft": "<",
    "evictionSoftGracePeriod": "=",
    "kubeReserved": "=",
    "systemReserved": "=",
}
"""Maps, and the sign that joins their pairs in a flag."""

_ELSEWHERE = """
    configMapAndSecretChangeDetectionStrategy containerLogMaxWorkers containerLogMonitorInterval
    containerRuntimeEndpoint contentType cpuManagerPolicy cpuManagerPolicyOptions cpuManagerReconcilePeriod
    enableContentionProfiling enableControllerAttachDetach enableDebugFlagsHandler enableProfilingHandler
    enableServer enableSystemLogHandler enableSystemLogQuery failCgroupV1 featureGates hairpinMode
    httpCheckFrequency imagePullCredentialsVerificationPolicy imageServiceEndpoint iptablesDropBit
    iptablesMasqueradeBit kernelMemcgNotification kubeAPIBurst kubeAPIQPS kubeletCgroups kubeReservedCgroup logging
    makeIPTablesUtilChains maxOpenFiles memoryManagerPolicy memoryReservationPolicy memorySwap
    memoryThrottlingFactor oomScoreAdj podLogsDir preloadedImagesVerificationAllowlist protectKernelDefaults
    qosReserved reservedMemory reservedSystemCPUs rotateCertificates runOnce runtimeRequestTimeout
    serverTLSBootstrap showHiddenMetricsForVersion singleProcessOOMKill staticPodURL staticPodURLHeader
    systemCgroups systemReservedCgroup tlsCurvePreferences topologyManagerPolicy topologyManagerPolicyOptions
    topologyManagerScope tracing userNamespaces volumePluginDir volumeStatsAggPeriod
"""
"""Fields that are Kubernetes' and do nothing here."""


def snake(name: str) -> str:
    """`imageGCHighThresholdPercent` as the options have it: image_gc_high_threshold_percent."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


_UNSUPPORTED = frozenset(_ELSEWHERE.split())
_OPTIONS = {field: snake(field) for field in _SAME.split()} | _RENAMED


def read(content: Mapping[str, Any], kinds: Kinds) -> Mapping[str, Any]:
    """The options that the file sets. Raises ValueError, for daemon.options."""
    if content.get("apiVersion") != API_VERSION:
        raise ValueError(f'no kind "{KIND}" is registered for version "{content.get("apiVersion", "")}"')
    values: dict[str, Any] = {}
    unsupported = []
    health: dict[str, Any] = {}
    for path, value in _fields(content):
        if path in _OPTIONS:
            values[_OPTIONS[path]] = from_yaml(kinds[_OPTIONS[path]], value, path)
        elif path in _MAPS:
            values[snake(path)] = _pairs(path, value)
        elif path in _SPECIAL:
            name, convert = _SPECIAL[path]
            values[name] = convert(value)
        elif path in ("healthzBindAddress", "healthzPort"):
            health[path] = value
        elif path in _UNSUPPORTED:
            unsupported.append(path)
        elif path != "mergeDefaultEvictionSettings":
            raise ValueError(f'strict decoding error: unknown field "{path}"')
    if health:
        address, port = health.get("healthzBindAddress", "127.0.0.1"), health.get("healthzPort", 10248)
        values["health_bind"] = f"{address}:{port}"
    if content.get("mergeDefaultEvictionSettings") and "eviction_hard" in values:
        values["eviction_hard"] = _with_defaults(values["eviction_hard"])
    return values | {"unsupported": tuple(unsupported)}


def _fields(content: Mapping[str, Any], below: str = "") -> Iterator[tuple[str, Any]]:
    """The fields that are set, those of sections by their paths."""
    for key, value in content.items():
        path = f"{below}{key}"
        if path in ("apiVersion", "kind") or value is None:
            continue
        if isinstance(value, Mapping) and any(known.startswith(f"{path}.") for known in _OPTIONS):
            yield from _fields(value, f"{path}.")
        else:
            yield path, value


def _pairs(path: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, Mapping):
        raise ValueError(f"{path} must be a map")
    return tuple(f"{key}{_MAPS[path]}{each}" for key, each in value.items())


def _with_defaults(given: tuple[str, ...]) -> tuple[str, ...]:
    from kubelet.options import EVICTION_HARD

    named = {each.partition("<")[0] for each in given}
    return (*given, *(each for each in EVICTION_HARD if each.partition("<")[0] not in named))


def _taints(value: Any) -> tuple[str, ...]:
    return tuple(f"{each['key']}={each.get('value') or ''}:{each['effect']}" for each in _items(value, "key", "effect"))


def _graces(value: Any) -> tuple[str, ...]:
    names = ("priority", "shutdownGracePeriodSeconds")
    return tuple("=".join(str(each[name]) for name in names) for each in _items(value, *names))


def _items(value: Any, *needed: str) -> list[Mapping[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(each, Mapping) and {*needed} <= {*each} for each in value):
        raise ValueError(f"every item of such a list needs {' and '.join(needed)}")
    return value


_SPECIAL: Mapping[str, tuple[str, Callable[[Any], tuple[str, ...]]]] = {
    "registerWithTaints": ("register_with_taints", _taints),
    "shutdownGracePeriodByPodPriority": ("shutdown_grace_period_by_pod_priority", _graces),
}

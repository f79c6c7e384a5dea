"""Why a sandbox or a container can't be made: a container's waiting state tells it, or an event of the pod."""

from __future__ import annotations


class ConfigError(ValueError):
    """What the pod's spec asks for isn't there, or contradicts itself: it can't even be asked of the engine."""

    reason = "CreateContainerConfigError"


class CreateError(ConfigError):
    """What only the engine would find out in Kubernetes: a profile or a user that isn't there."""

    reason = "CreateContainerError"


class SandboxError(ValueError):
    """The pod's own surroundings can't be as its spec wants them."""

"""What a container's own restart rules and policy, and the pod's, say of one that has ended (KEP-5307, KEP-5532)."""

from __future__ import annotations

from api.types import core_v1

RESTART_ALL = "RestartAllContainers"


def rule_for(container: core_v1.Container, exit_code: int) -> str:
    """The action of the first rule that the exit code meets; empty if none does."""
    for rule in container.restartPolicyRules or ():
        codes = rule.exitCodes
        if codes is not None and (exit_code in (codes.values or ())) == (codes.operator == "In"):
            return rule.action
    return ""


def runs_again(container: core_v1.Container, policy: str, exit_code: int, *, init: bool = False) -> bool:
    """Whether a container that ended with this code runs again. `policy` is the pod's. An init container that has
    done its work has no reason to."""
    if rule_for(container, exit_code):
        return True
    chosen = container.restartPolicy or ("OnFailure" if init and policy == "Always" else policy)
    return chosen == "Always" or (chosen == "OnFailure" and exit_code != 0)

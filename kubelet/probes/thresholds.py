"""When a row of answers changes what is held of a container: pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from api.types import core_v1


@dataclass(frozen=True, slots=True)
class Rule:
    """A probe's numbers, with Kubernetes' defaults filled in."""

    delay: float = 0.0
    period: float = 10.0
    timeout: float = 1.0
    successes: int = 1
    failures: int = 3

    @classmethod
    def of(cls, probe: core_v1.Probe) -> Rule:
        return cls(
            delay=float(probe.initialDelaySeconds or 0),
            period=float(probe.periodSeconds or 10),
            timeout=float(probe.timeoutSeconds or 1),
            successes=probe.successThreshold or 1,
            failures=probe.failureThreshold or 3,
        )


@dataclass(frozen=True, slots=True)
class Tally:
    """How many equal answers came in a row, and what is held for true since they were enough."""

    verdict: bool | None
    last: bool | None = None
    row: int = 0

    def take(self, ok: bool, rule: Rule) -> Tally:
        row = self.row + 1 if ok == self.last else 1
        enough = row >= (rule.successes if ok else rule.failures)
        return replace(self, last=ok, row=row, verdict=ok if enough else self.verdict)

"""How often pods were evicted, and why."""

from __future__ import annotations

from prometheus_client import Counter

EVICTIONS = Counter("kubelet_evictions", "Cumulative number of pod evictions by eviction signal", ["eviction_signal"])

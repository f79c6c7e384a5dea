"""The plugins that come with the scheduler, one a file, and the profile that they make.

To add one: write a file here with a class of `scheduler.framework`, add it to `default_profile` where it belongs in the
order (cheap filters that reject much first), and a case to the golden transcripts.
"""

from __future__ import annotations

from scheduler.framework import Plugin, Profile
from scheduler.plugins.balanced_allocation import BalancedAllocation
from scheduler.plugins.host_ports import HostPorts
from scheduler.plugins.least_allocated import LeastAllocated
from scheduler.plugins.node_affinity import NodeAffinity
from scheduler.plugins.node_name import NodeName
from scheduler.plugins.preemption import Preemption
from scheduler.plugins.priority_sort import PrioritySort
from scheduler.plugins.resources_fit import ResourcesFit
from scheduler.plugins.spreading import Spreading
from scheduler.plugins.taints import TaintToleration
from scheduler.plugins.unschedulable import NodeUnschedulable


def default_profile(name: str = "default-scheduler", *connected: Plugin) -> Profile:
    """`connected` are those that need the API server: the last ones at each point."""
    return Profile.of(
        name,
        [
            PrioritySort(),
            NodeUnschedulable(),
            NodeName(),
            TaintToleration(),
            NodeAffinity(),
            HostPorts(),
            ResourcesFit(),
            Preemption(),
            LeastAllocated(),
            BalancedAllocation(),
            Spreading(),
            *connected,
        ],
    )

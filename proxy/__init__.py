"""The service proxy: makes a node's kernel answer for the cluster's Services, with iptables.

`model` reads Services and EndpointSlices, `services` turns one Service into rules (pure), `ruleset` keeps the whole
wanted rule set and says what a change means (pure), `iptables` and `applier` put it into the kernel, `syncer` ties
informers to it.
"""

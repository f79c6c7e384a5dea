"""Benchmarks: what a user would notice, each beside a limit that is measured in the same run.

`python -m bench` runs them all, `python -m bench create get` some. A figure of this machine says little by itself;
its ratio to what limits it (the same bytes written to etcd, the same containers started by hand, …) says more.

A benchmark is one small file with `measure()`, which starts the daemons it needs as processes of their own, on
loopback or in network namespaces it makes, puts load on them from yet another process, bounded in count and time, and
returns rows.
"""

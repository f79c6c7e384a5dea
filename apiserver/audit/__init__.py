"""The audit log: who did what, when, and how it ended, in Kubernetes' audit.k8s.io/v1 format.

`policy` says how much of a request is told, `event` tells it, `sink` writes it down.
"""

"""Bringing a cluster up and taking it down: packages, certificates, processes.

Knows the daemons by their command lines only.
"""

"""Graceful node shutdown: when the machine is going down, pods are ended in order of their priority, in the time that
the machine grants."""

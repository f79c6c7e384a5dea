"""Sandboxes made ready before a pod asks for one."""

"""Asking containers how they are: by a command, an HTTP request or a TCP connection, with Kubernetes' thresholds."""

"""Answers that come from a kubelet, passed on as they come."""

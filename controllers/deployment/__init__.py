"""Deployment: moves replicas between ReplicaSets, one for each version of the pod template."""

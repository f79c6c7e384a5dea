"""What every process of Pytheas shares that is not about Kubernetes objects: flags, logs, health, start and stop."""

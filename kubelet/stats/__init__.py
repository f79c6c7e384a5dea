"""What this node and its pods use, sampled when somebody asks, and told in the three forms that Kubernetes knows:
`/stats/summary`, `/metrics/resource`, `/metrics/cadvisor`."""

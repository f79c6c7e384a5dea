"""The metrics API (`metrics.k8s.io`), made here from what the kubelets tell, so that `kubectl top` and autoscalers work
without another server. One that is registered by an APIService takes its place."""

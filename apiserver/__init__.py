"""The API server: a stateless process that serves Kubernetes' HTTP API from what etcd holds."""

"""The API server as a process, on a real etcd, over real HTTPS."""

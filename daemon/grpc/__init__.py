"""gRPC's wire protocol over a small HTTP/2 client: enough to call etcd, or a container's health service."""

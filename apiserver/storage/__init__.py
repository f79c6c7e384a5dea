"""Where objects live: etcd, and the watch cache that answers reads. Nothing else in the process talks to etcd."""

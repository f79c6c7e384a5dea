"""Static pods: those that this node runs from a folder of manifests, whether or not there is an API server, and their
mirrors, by which everybody else sees them."""

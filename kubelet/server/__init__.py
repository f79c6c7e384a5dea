"""What the kubelet serves: container logs to the API server over HTTPS, and plain pages about itself for the node's
operator."""

"""A pod's volumes: where each lies on the node, what is in it, and how it changes while the pod runs."""

"""`pytheas image`: images on the nodes, without a registry."""

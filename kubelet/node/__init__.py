"""The node itself: what the machine is and has, the Node object made of it, and its sign of life."""

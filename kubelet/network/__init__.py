"""A pod's network: its interface by CNI plugins, its names (hosts, resolv.conf), and routes to the other nodes'
pods."""

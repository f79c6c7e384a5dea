"""Evictions: which pods end when the node runs short of memory, disk, inodes or processes."""

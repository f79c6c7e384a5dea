"""Claims get their volumes, volumes are given back, and neither goes while it is in use."""

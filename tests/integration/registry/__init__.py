"""The kinds' rules through a real API server."""

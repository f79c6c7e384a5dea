"""The kinds' rules, without a server."""

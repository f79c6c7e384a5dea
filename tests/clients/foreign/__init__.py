"""Suites that others wrote for their own clients: fetched, run against our API server, held by a ratchet."""

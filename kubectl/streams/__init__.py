"""Connections that go both ways: commands in containers, forwarded ports. Only they load aiohttp."""

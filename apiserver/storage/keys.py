"""Where things are in etcd: `/registry/{group}/{resource}/{namespace}/{name}`, and reservations beside them."""

from __future__ import annotations

ROOT = b"/registry/"
RESERVATIONS = ROOT + b"reservations/"
COMPACTION = ROOT + b"compaction"
SERVERS = ROOT + b"apiservers/"


def resource_prefix(group: str, plural: str) -> bytes:
    """The prefix of all objects of a resource. The core group has no name of its own on the wire."""
    return ROOT + f"{group or 'core'}/{plural}/".encode()


def reservation(name: str) -> bytes:
    """The key of a reserved name such as `nodeports/TCP/30080`."""
    return RESERVATIONS + name.encode()

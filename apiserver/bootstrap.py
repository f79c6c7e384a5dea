"""What every cluster has from the start: its own namespaces, and the Service under which pods reach this server."""

from __future__ import annotations

from api.errors import AlreadyExists
from apiserver.auth.user import MASTERS, User
from apiserver.endpoints.state import State
from apiserver.endpoints.write import Author, create
from apiserver.options import Options

NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease")
SERVER = User("system:apiserver", (MASTERS,))


async def bootstrap(state: State, options: Options) -> None:
    """Make what is missing."""
    await state.feed.filled.wait()
    for name in NAMESPACES:
        if name in state.resource("namespaces").cache.entries:
            continue
        try:
            await create(state, state.resource("namespaces"), "", {"metadata": {"name": name}}, Author(SERVER))
        except AlreadyExists:
            continue

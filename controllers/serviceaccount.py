"""Every namespace has a ServiceAccount `default`: a pod that names none runs as it."""

from __future__ import annotations

from api import errors
from api.metadata import split_key
from api.types import core_v1, meta_v1
from controllers import objects
from controllers.controller import Controller
from controllers.failures import namespace_is_terminating
from controllers.shared import Shared

NAME = "default"


def is_needed(namespace: core_v1.Namespace | None, present: bool) -> bool:
    """Whether the account must be made: not in a namespace that is going."""
    return namespace is not None and not objects.deleting(namespace) and not present


class ServiceAccountController(Controller):
    """Keys are namespaces' names."""

    name = "serviceaccount"

    def __init__(self, shared: Shared) -> None:
        super().__init__(shared)
        self._namespaces = self.read(core_v1.Namespace)
        self._accounts = self.read(core_v1.ServiceAccount)
        self._namespaces.on_change(lambda key, old, new: self.queue.add(key))
        self._accounts.on_change(self._account_changed)

    def _account_changed(
        self, key: str, old: core_v1.ServiceAccount | None, new: core_v1.ServiceAccount | None
    ) -> None:
        namespace, name = split_key(key)
        if new is None and name == NAME:
            self.queue.add(namespace)

    async def reconcile(self, key: str) -> None:
        if not is_needed(self._namespaces.get(key), self._accounts.get(f"{key}/{NAME}") is not None):
            return
        account = core_v1.ServiceAccount(metadata=meta_v1.ObjectMeta(name=NAME, namespace=key))
        try:
            await self.client.create(account)
        except errors.AlreadyExists:
            return
        except errors.StatusError as error:
            if not namespace_is_terminating(error) and not isinstance(error, errors.NotFound):
                raise

"""Every namespace has a ConfigMap `kube-root-ca.crt` with the certificate by which pods know the API server.

A pod's service account volume is made from it, so it is there before the first pod and is put right when somebody
edits or deletes it. Only the ConfigMaps of this name are watched: the others are none of this controller's business.
"""

from __future__ import annotations

import asyncio

from api import errors
from api.metadata import split_key
from api.types import core_v1, meta_v1
from client.informer import Informer
from client.kubeconfig import Config
from client.rest import PatchType
from controllers import objects
from controllers.controller import Controller
from controllers.failures import namespace_is_terminating
from controllers.shared import Shared
from daemon.log import logger

log = logger(__name__)

NAME = "kube-root-ca.crt"
_DESCRIPTION = {
    "kubernetes.io/description": "Contains a CA bundle that can be used to verify the kube-apiserver when using "
    "internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed "
    "across distributions of Kubernetes clusters."
}


def is_needed(namespace: core_v1.Namespace | None, present: core_v1.ConfigMap | None, data: dict[str, str]) -> bool:
    """Whether the ConfigMap must be made or put right: not in a namespace that is going."""
    if namespace is None or objects.deleting(namespace):
        return False
    return present is None or present.data != data or bool(present.binaryData)


def certificate(config: Config) -> str:
    """What this process itself trusts the API server by; "" for one that is reached without TLS."""
    if config.ca_data is not None:
        return config.ca_data.decode()
    return config.ca_file.read_text() if config.ca_file is not None else ""


class RootCaController(Controller):
    """Keys are namespaces' names."""

    name = "root-ca-certificate-publisher"

    def __init__(self, shared: Shared) -> None:
        super().__init__(shared)
        given = shared.options.root_ca_file
        found = given.read_text() if given is not None else certificate(shared.client.config)
        self._data = {"ca.crt": found}
        self._namespaces = self.read(core_v1.Namespace)
        self._published = Informer(shared.client, core_v1.ConfigMap, fields=f"metadata.name={NAME}")
        self._reads.append(self._published)
        self._namespaces.on_change(lambda key, old, new: self.queue.add(key))
        self._published.on_change(lambda key, old, new: self.queue.add(split_key(key)[0]))

    async def run(self) -> None:
        if not self._data["ca.crt"]:
            log.warning("no certificate to publish: neither --root-ca-file nor the kubeconfig names one")
            return
        async with asyncio.TaskGroup() as group:
            group.create_task(self._published.run(), name=f"informer-{NAME}")
            await super().run()

    async def reconcile(self, key: str) -> None:
        present = self._published.get(f"{key}/{NAME}")
        if not is_needed(self._namespaces.get(key), present, self._data):
            return
        try:
            if present is None:
                metadata = meta_v1.ObjectMeta(name=NAME, namespace=key, annotations=dict(_DESCRIPTION))
                await self.client.create(core_v1.ConfigMap(metadata=metadata, data=self._data))
                return
            # Keys that are not ours go: a pod would mount them beside the certificate.
            patch = {"data": {**dict.fromkeys(present.data or {}), **self._data}, "binaryData": None}
            await self.client.patch(core_v1.ConfigMap, NAME, patch, key, kind=PatchType.MERGE)
        except errors.AlreadyExists:
            return
        except errors.StatusError as error:
            if not namespace_is_terminating(error) and not isinstance(error, errors.NotFound):
                raise

"""The credentials of one pod's pulls: its imagePullSecrets, then the node's own `config.json`.

The secrets are asked for when something is pulled, and not kept: pulls are rare, and what is not kept can't leak.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from api.errors import StatusError
from api.types import core_v1
from client.rest import Client, Unreachable
from daemon.log import logger
from kubelet.images.keyring import Credential, KeyringError, read_config, read_secret

log = logger(__name__)


class PullSecrets:
    """`node_config` is a file in the format of Docker's `config.json`; it needn't be there."""

    def __init__(self, client: Client, node_config: Path) -> None:
        self._client, self._node_config = client, node_config

    async def of(self, pod: core_v1.Pod, warn: Callable[[str, str], None]) -> Sequence[Credential]:
        """What can't be read is left out, and `warn(reason, message)` told."""
        metadata, spec = pod.metadata, pod.spec
        assert metadata is not None
        assert spec is not None
        found: list[Credential] = []
        missing: list[str] = []
        for each in spec.imagePullSecrets or ():
            name = each.name or ""
            try:
                secret = await self._client.get(core_v1.Secret, name, metadata.namespace)
                data = {key: base64.b64decode(value) for key, value in (secret.data or {}).items()}
                uid = secret.metadata.uid if secret.metadata is not None else ""
                origin = f"{metadata.namespace}/{name}/{uid}"
                found += [replace(each, secret=origin) for each in read_secret(secret.type or "", data)]
            except (StatusError, Unreachable, KeyringError) as error:
                log.warning("a pull secret is no use", secret=f"{metadata.namespace}/{name}", error=str(error))
                missing.append(name)
        if missing:
            text = f"Unable to retrieve some image pull secrets ({', '.join(missing)})"
            warn("FailedToRetrieveImagePullSecret", f"{text}; attempting to pull the image may not succeed.")
        return [*found, *await asyncio.to_thread(self._of_node)]

    def _of_node(self) -> list[Credential]:
        try:
            return read_config(self._node_config.read_bytes())
        except FileNotFoundError:
            return []
        except (OSError, KeyringError) as error:
            log.warning("the node's own credentials can't be read", file=str(self._node_config), error=str(error))
            return []

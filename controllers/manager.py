"""Runs the controllers on one set of informers, for as long as this process leads."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from client.rest import Client
from controllers.controller import Controller
from controllers.deployment.controller import DeploymentController
from controllers.endpoints.controller import EndpointsController
from controllers.endpoints.mirroring import MirroringController
from controllers.ephemeralvolume import EphemeralVolumeController
from controllers.garbage.controller import GarbageCollector
from controllers.informers import Informers
from controllers.monitors import Monitors
from controllers.namespace import NamespaceController
from controllers.nodeipam import NodeIpamController
from controllers.nodelifecycle.controller import NodeLifecycleController
from controllers.nodelifecycle.evictor import TaintEvictionController
from controllers.options import Options
from controllers.persistentvolume.controller import PersistentVolumeController
from controllers.podgc import PodGcController
from controllers.replicaset.controller import ReplicaSetController
from controllers.rootca import RootCaController
from controllers.serviceaccount import ServiceAccountController
from controllers.shared import Shared
from daemon.log import logger
from daemon.run import freeze

log = logger(__name__)

CONTROLLERS: tuple[type[Controller], ...] = (
    DeploymentController,
    ReplicaSetController,
    EndpointsController,
    MirroringController,
    GarbageCollector,
    NamespaceController,
    ServiceAccountController,
    RootCaController,
    NodeIpamController,
    NodeLifecycleController,
    TaintEvictionController,
    PodGcController,
    PersistentVolumeController,
    EphemeralVolumeController,
)


class Manager:
    """One term of leadership: all state is made anew with it, from lists and watches."""

    def __init__(self, client: Client, options: Options) -> None:
        self._client, self._options = client, options
        self._informers: Informers | None = None

    def trouble(self) -> str | None:
        """For a health check: why the controllers do not see the cluster, or None."""
        return self._informers.trouble() if self._informers else None

    async def run(self) -> None:
        """Until cancelled, or a controller fails for good."""
        informers = self._informers = Informers(self._client)
        monitors = Monitors(self._client, informers)
        shared = Shared(self._client, self._options, informers, monitors)
        try:
            controllers = [make(shared) for make in self._wanted()]
            async with asyncio.TaskGroup() as group:
                group.create_task(informers.run(), name="informers")
                group.create_task(monitors.follow(), name="monitors")
                for controller in controllers:
                    group.create_task(controller.run(), name=controller.name)
                await informers.synced()
                log.info("at work", controllers=",".join(sorted(each.name for each in controllers)))
                freeze()
        finally:
            self._informers = None
            await shared.close()

    def _wanted(self) -> Iterable[type[Controller]]:
        for controller in CONTROLLERS:
            if controller is not NodeIpamController or self._options.cluster_cidr:
                yield controller

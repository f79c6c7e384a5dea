"""The kubelet's two ports: all pages over HTTPS to who may see them, and those that show nothing secret plainly."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack

from prometheus_client import REGISTRY

from client.rest import Client
from daemon.aio import web
from daemon.log import logger
from kubelet.node.machine import Machine
from kubelet.options import Options
from kubelet.pods import Pods
from kubelet.probes.metrics import routes as probe_pages
from kubelet.server import deleted_logs
from kubelet.server.access import Access, Reviews, Rules
from kubelet.server.exec import Executions
from kubelet.server.images import ImagePages
from kubelet.server.listen import listen, tls
from kubelet.server.logs import Logs
from kubelet.server.metrics import KubeletMetrics
from kubelet.server.pages import routes as plain_pages
from kubelet.server.portforward import Forwarding
from kubelet.server.stats import routes as stats_pages
from kubelet.stats.disk import DiskUse
from kubelet.stats.source import Stats

log = logger(__name__)

Routes = list[web.AbstractRouteDef]


class Site:
    """What is served at 10250 and 10255. `open()` it."""

    def __init__(self, options: Options, client: Client, pods: Pods, machine: Machine) -> None:
        self._options, self._client, self._pods, self._machine = options, client, pods, machine
        self._disk_use = DiskUse()

    async def open(
        self,
        stack: AsyncExitStack,
        logs: Logs,
        images: ImagePages,
        metrics: KubeletMetrics,
        trouble: Callable[[], str],
    ) -> None:
        """Listen until the stack is closed. `trouble` says what is wrong with this kubelet, or nothing."""
        options = self._options
        REGISTRY.register(metrics)
        stack.callback(REGISTRY.unregister, metrics)
        stack.callback(self._disk_use.close)
        pages = self._pages(trouble)
        if options.read_only_port:
            await stack.enter_async_context(listen(options.address, options.read_only_port, pages))
        if not options.port:
            return
        if not (options.tls_cert_file and options.tls_key_file and options.client_ca_file):
            log.warning("no HTTPS port: it needs --tls-cert-file, --tls-key-file and --client-ca-file")
            return
        context = tls(
            options.tls_cert_file,
            options.tls_key_file,
            options.client_ca_file,
            options.tls_min_version,
            options.tls_cipher_suites,
        )
        access = Access(Reviews(self._client, self._pods.node.name), Rules.of(options))
        secure = [*self._into_pods(logs), *images.routes(), *pages, *deleted_logs.routes(self._pods.node.archive)]
        await stack.enter_async_context(listen(options.address, options.port, secure, context, access))

    def _pages(self, trouble: Callable[[], str]) -> Routes:
        """What shows nothing that is secret."""
        stats = Stats(self._pods, self._machine, self._disk_use)
        pages = plain_pages(self._pods, self._machine, REGISTRY, trouble, stats.volumes)
        return [*pages, *probe_pages(self._pods), *stats_pages(stats)]

    def _into_pods(self, logs: Logs) -> Routes:
        """What leads into containers."""
        if not self._options.enable_debugging_handlers:
            return []
        idle, engine = float(self._options.streaming_connection_idle_timeout), self._pods.node.engine
        streams = [route for serve in (Executions, Forwarding) for route in serve(self._pods, engine, idle).routes()]
        return [*streams, web.get("/containerLogs/{namespace}/{pod}/{container}", logs.serve)]

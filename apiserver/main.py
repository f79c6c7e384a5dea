"""The process: flags, etcd, the caches, uvicorn."""

from __future__ import annotations

import asyncio
import socket
import ssl
import sys

from apiserver.aggregation.aggregator import Aggregator
from apiserver.aggregation.identity import ProxyIdentity
from apiserver.audit.auditor import Auditor
from apiserver.audit.policy import load as load_policy
from apiserver.audit.sink import Sink
from apiserver.auth.authenticate import Authenticator, TokenCheck, account_tokens, static_tokens
from apiserver.auth.serviceaccounts import Issuer
from apiserver.bootstrap import basics_there, keep_basics
from apiserver.connection import ClientConnection
from apiserver.customresources.loop import Definitions
from apiserver.endpoints.app import App
from apiserver.endpoints.http import Asgi
from apiserver.endpoints.later import Later
from apiserver.endpoints.metrics import Requests, registry_of
from apiserver.endpoints.state import State
from apiserver.lean_uvicorn import uvicorn
from apiserver.options import Options, check, own_address
from apiserver.priority import Priority
from apiserver.registry import KINDS
from apiserver.storage.channel import Certificates
from apiserver.storage.compaction import compact_regularly
from apiserver.storage.etcd import Etcd
from apiserver.streaming.kubelet import KubeletClient
from daemon import log as daemon_log
from daemon import run
from daemon.fatal import Fatal
from daemon.options import parse

log = daemon_log.logger(__name__)

STOP_SECONDS = 3
KEEP_ALIVE_SECONDS = 120


def main() -> int:
    options = parse(Options, "pytheas-apiserver", "Serve the Kubernetes API from what etcd holds.")
    daemon_log.setup(options.log_level)
    return run.main(lambda: serve(options))


async def serve(options: Options) -> None:
    """Serve until cancelled."""
    try:
        server, state, aggregator, definitions = _build(options)
        listener = _listen(options)
    except (OSError, ValueError) as error:  # a file that is missing or no good, a port that is taken
        raise Fatal(f"cannot start: {error}") from error
    background = {
        "feed": state.feed.run(),
        "basics": keep_basics(state, own_address(options), options.secure_port),
        "compaction": compact_regularly(state.etcd),
        "custom resources": definitions.run(),
        "aggregated APIs": aggregator.run(),
        "quotas": state.quotas.run(),
        "settle": _settle(state),
    }
    try:
        async with asyncio.TaskGroup() as group:  # one that fails ends the process: its supervisor starts it anew
            for name, work in background.items():
                group.create_task(work, name=name)
            await server.until_cancelled(listener)
    finally:
        await state.webhooks.close()
        await state.etcd.close()


def _build(options: Options) -> tuple[Server, State, Aggregator, Definitions]:
    """Put the parts together. Raises OSError, ValueError when a flag makes no sense."""
    check(options)
    certificates = Certificates(options.etcd_ca_file, options.etcd_cert_file, options.etcd_key_file)
    etcd = Etcd(options.etcd_servers, certificates)
    kubelets = KubeletClient(options.kubelet_ca_file, options.kubelet_client_cert_file, options.kubelet_client_key_file)
    key = options.service_account_key_file
    issuer = Issuer(key, options.service_account_issuer) if key else None
    state = State(etcd, KINDS, settings(options), kubelets, issuer)
    checks: list[TokenCheck] = [static_tokens(options.token_auth_file)] if options.token_auth_file else []
    if issuer is not None:
        checks.append(account_tokens(issuer, state))
    definitions = Definitions(state)
    ready = {
        "caches": lambda: _filled(state),
        "basics": lambda: basics_there(state),
        "custom-resources": definitions.missing,
    }
    requests, priority = Requests(), Priority(options.max_requests_inflight, options.max_mutating_requests_inflight)
    address = _join(own_address(options), options.secure_port)
    aggregator = Aggregator(state, _proxy_identity(options))
    metrics = registry_of(state, requests, priority)

    def pages() -> Asgi:
        from apiserver.endpoints.site import site

        return site(state, ready, metrics, aggregator.schemas)

    app = App(state, Authenticator(checks), Later(pages), requests, priority, aggregator, address, _auditor(options))
    config = _config(options, app)
    config.load()
    return Server(config, state, app), state, aggregator, definitions


def _proxy_identity(options: Options) -> ProxyIdentity:
    return ProxyIdentity(
        options.proxy_client_cert_file,
        options.proxy_client_key_file,
        options.requestheader_client_ca_file,
        options.client_ca_file,
    )


def _auditor(options: Options) -> Auditor | None:
    """Raises ValueError, OSError."""
    if options.audit_policy_file is None:
        return None
    sizes = (options.audit_log_maxsize, options.audit_log_maxbackup, options.audit_log_maxage)
    return Auditor(load_policy(options.audit_policy_file), Sink(options.audit_log_path, *sizes))


def _join(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


async def _settle(state: State) -> None:
    """Once the caches are filled, what is alive stays: the garbage collector need not look at it again."""
    await state.feed.filled.wait()
    run.freeze()


def _filled(state: State) -> str | None:
    return None if state.feed.filled.is_set() else "the caches are not filled yet"


def settings(options: Options) -> dict[str, object]:
    """What strategies may know of the flags."""
    return {
        "service_cluster_ip_range": options.service_cluster_ip_range,
        "service_node_port_range": options.service_node_port_range,
    }


class Server(uvicorn.Server):
    """uvicorn in a loop of ours: signals are ours, and open watches are ended before connections are waited for."""

    def __init__(self, config: uvicorn.Config, state: State, app: App) -> None:
        super().__init__(config)
        self._state = state
        self._app = app

    async def until_cancelled(self, listener: socket.socket) -> None:
        """Serve on `listener`, then let the requests under way end."""
        serving = asyncio.create_task(self._serve([listener]), name="uvicorn")
        try:
            await asyncio.shield(serving)
        except asyncio.CancelledError:
            self.should_exit = True
            await serving
            raise

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._state.stop()
        await super().shutdown()
        self._app.close()


def _config(options: Options, app: App) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=ClientConnection,
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=STOP_SECONDS,
        ssl_certfile=str(options.tls_cert_file),
        ssl_keyfile=str(options.tls_key_file),
        ssl_ca_certs=str(options.client_ca_file),
        ssl_cert_reqs=ssl.CERT_OPTIONAL,
    )


def _listen(options: Options) -> socket.socket:
    family = socket.AF_INET6 if ":" in options.bind_address else socket.AF_INET
    listener = socket.create_server((options.bind_address, options.secure_port), family=family, backlog=2048)
    # Connections inherit these: a watch whose client has vanished without a word is noticed within a minute.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in ((socket.TCP_KEEPIDLE, 30), (socket.TCP_KEEPINTVL, 10), (socket.TCP_KEEPCNT, 3)):
        listener.setsockopt(socket.IPPROTO_TCP, name, value)
    return listener


if __name__ == "__main__":
    sys.exit(main())

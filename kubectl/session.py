"""One run of the CLI: where the cluster is, which namespace, and where the output goes. All is made on first use."""

from __future__ import annotations

import argparse
from functools import cached_property
from typing import TYPE_CHECKING, Any

from kubectl.errors import CliError
from kubectl.terminal import Terminal

if TYPE_CHECKING:
    from client.kubeconfig import Config
    from kubectl.discovery import Catalog
    from kubectl.server import Server


class Session:
    def __init__(self, flags: argparse.Namespace, terminal: Terminal | None = None) -> None:
        self.flags = flags
        self.terminal = terminal or Terminal()
        self.show_events = True
        """Whether descriptions end with the object's events."""

    @cached_property
    def config(self) -> Config:
        from kubectl.config import connection

        return connection(self.flags)

    @property
    def namespace(self) -> str:
        """The namespace to work in."""
        return self.flags.namespace or self.config.namespace or "default"

    @cached_property
    def server(self) -> Server:
        from client.kubeconfig import ConfigError
        from kubectl.server import Server
        from kubectl.transport import Transport

        try:
            tls, token = self.config.ssl_context(), self.config.bearer_token()
        except ConfigError as problem:
            raise CliError(str(problem)) from problem
        transport = Transport(self.config.server, tls, token, self._timeout(), verbose=int(self.flags.v or 0) >= 6)
        return Server(transport, lambda text: self.terminal.complain(self.terminal.paint(f"Warning: {text}", "yellow")))

    @cached_property
    def catalog(self) -> Catalog:
        from kubectl.discovery import Catalog, cache_file

        return Catalog(self.server, cache_file(self.config.server))

    def _timeout(self) -> float | None:
        from kubectl import durations

        text = self.flags.request_timeout
        return (durations.parse(text) or None) if text else None

    def close(self) -> None:
        server: Any = self.__dict__.get("server")
        if server is not None:
            server.transport.close()

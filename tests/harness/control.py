"""A control plane for tests: etcd, the API server and, when asked, scheduler and controllers, on free loopback ports.

`python -m tests.harness.control FOLDER [scheduler] [controllers]` runs one until it is interrupted.
"""

from __future__ import annotations

import signal
import ssl
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType

from cluster import identities
from cluster.layout import Layout, Network
from tests.harness.process import SCRIPTS, Process, free_port


class Etcd:
    """An etcd as a plain process, without TLS, its data in `folder`."""

    def __init__(self, folder: Path, *, port: int | None = None) -> None:
        self.port = port or free_port()
        peer = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        # Not with --unsafe-no-fsync: it keeps the log in the process, and tests that kill etcd would lose writes.
        argv = ["etcd", "--name", "test", "--data-dir", str(folder / "etcd-data")]
        argv += ["--listen-client-urls", self.url, "--advertise-client-urls", self.url]
        argv += ["--listen-peer-urls", f"http://127.0.0.1:{peer}"]
        argv += ["--initial-advertise-peer-urls", f"http://127.0.0.1:{peer}"]
        argv += ["--initial-cluster", f"test=http://127.0.0.1:{peer}", "--log-outputs", "stderr"]
        self.process = Process("etcd", argv, folder)

    def start(self) -> Etcd:
        self.process.start()
        self.process.wait_for("etcd's health", self.healthy)
        return self

    def healthy(self) -> bool:
        with urllib.request.urlopen(f"{self.url}/health", timeout=2) as answer:
            return b'"true"' in answer.read()


class ControlPlane(AbstractContextManager["ControlPlane"]):
    """The processes of a control plane. `etcd_url` names an etcd that runs already; else one is started here."""

    def __init__(
        self,
        folder: Path,
        *,
        etcd_url: str | None = None,
        daemons: tuple[str, ...] = (),
        flags: Mapping[str, tuple[str, ...]] | None = None,
        address: str = "127.0.0.1",
        prefix: tuple[str, ...] = (),
    ) -> None:
        self.folder = folder
        self.layout = Layout.below(folder)
        self.port = free_port()
        self.server = f"https://{address}:{self.port}"
        self.admin_conf = self.layout.kubeconfig("admin")
        self._flags = flags or {}
        self._prefix = prefix
        identities.control_plane(self.layout, Network(), (address,), self.server)
        self.etcd = None if etcd_url else Etcd(folder)
        self.etcd_url = etcd_url or (self.etcd.url if self.etcd else "")
        self.apiserver = Process("apiserver", self._apiserver_argv(address), folder, prefix=prefix)
        self.daemons = {name: self._daemon(name) for name in daemons}

    def _apiserver_argv(self, address: str) -> list[str]:
        pki = self.layout.pki
        return [
            str(SCRIPTS / "python"),
            *("-m", "apiserver.main"),
            *("--etcd-servers", self.etcd_url),
            *("--bind-address", address, "--advertise-address", address, "--secure-port", str(self.port)),
            *("--tls-cert-file", f"{pki}/apiserver.crt", "--tls-key-file", f"{pki}/apiserver.key"),
            *("--client-ca-file", f"{pki}/ca.crt", "--kubelet-ca-file", f"{pki}/ca.crt"),
            *("--kubelet-client-cert-file", f"{pki}/apiserver-kubelet-client.crt"),
            *("--kubelet-client-key-file", f"{pki}/apiserver-kubelet-client.key"),
            *("--proxy-client-cert-file", f"{pki}/front-proxy-client.crt"),
            *("--proxy-client-key-file", f"{pki}/front-proxy-client.key"),
            *("--requestheader-client-ca-file", f"{pki}/front-proxy-ca.crt"),
            *("--service-account-key-file", f"{pki}/service-accounts.key"),
            *self._flags.get("apiserver", ()),
        ]

    def _daemon(self, name: str) -> Process:
        argv = [str(SCRIPTS / "python"), "-m", f"{name}.main"]
        argv += ["--kubeconfig", str(self.layout.kubeconfig(name)), "--health-bind", f"127.0.0.1:{free_port()}"]
        return Process(name, [*argv, *self._flags.get(name, ())], self.folder, prefix=self._prefix)

    def start(self) -> ControlPlane:
        if self.etcd:
            self.etcd.start()
        self.start_apiserver()
        for daemon in self.daemons.values():
            daemon.start()
        return self

    def start_apiserver(self) -> None:
        self.apiserver.start()
        self.apiserver.wait_for("the API server's readiness", self.ready)

    def ready(self) -> bool:
        context = ssl.create_default_context(cafile=str(self.layout.pki / "ca.crt"))
        pair = identities.pair(self.layout, "admin")
        context.load_cert_chain(pair.certificate, pair.key)
        try:
            with urllib.request.urlopen(f"{self.server}/readyz", timeout=5, context=context) as answer:
                return int(answer.status) == 200
        except urllib.error.HTTPError as error:
            with error:  # it holds the connection
                raise OSError(f"/readyz: {error.code} {error.read().decode(errors='replace')}") from error

    def stop(self) -> None:
        for process in [*self.daemons.values(), self.apiserver, *([self.etcd.process] if self.etcd else [])]:
            process.stop()

    def __enter__(self) -> ControlPlane:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def main() -> None:
    folder, *daemons = sys.argv[1:]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # so that the processes are stopped with this one
    with ControlPlane(Path(folder), daemons=tuple(daemons)) as plane:
        print(f"export KUBECONFIG={plane.admin_conf}", flush=True)
        plane.apiserver.wait_for("an interrupt", lambda: False, seconds=3600)


if __name__ == "__main__":
    main()

"""The API server's flags."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from daemon.options import Common, option


@dataclass(frozen=True)
class Options(Common):
    """One field for each flag; see daemon.options."""

    etcd_servers: tuple[str, ...] = option(help="etcd's client URLs, separated by commas")
    etcd_ca_file: Path | None = option(None, help="the CA that signs etcd's certificates")
    etcd_cert_file: Path | None = option(None, help="the client certificate to show to etcd")
    etcd_key_file: Path | None = option(None, help="its key")
    bind_address: str = option("0.0.0.0", help="the address to listen on")
    secure_port: int = option(6443, help="the port to listen on; there is no other, and TLS always")
    advertise_address: str = option("", help="the address under which others reach this server (default: found out)")
    tls_cert_file: Path = option(help="the certificate to show to clients")
    tls_key_file: Path = option(help="its key")
    client_ca_file: Path = option(help="the CA whose client certificates are taken: CN is the user, O the groups")
    kubelet_ca_file: Path | None = option(None, help="the CA that signs the kubelets' certificates")
    kubelet_client_cert_file: Path | None = option(None, help="the client certificate to show to kubelets")
    kubelet_client_key_file: Path | None = option(None, help="its key")
    service_account_key_file: Path | None = option(None, help="the private key that signs service account tokens")
    service_account_issuer: str = option(
        "https://kubernetes.default.svc.cluster.local", help="the issuer named in service account tokens"
    )
    service_cluster_ip_range: str = option("10.96.0.0/16", help="the range of the Services' own addresses")
    service_node_port_range: str = option("30000-32767", help="the ports for NodePort Services")
    token_auth_file: Path | None = option(None, help='static tokens, a line each: token,user,uid,"group1,group2"')

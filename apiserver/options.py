"""The API server's flags."""

from __future__ import annotations

import ipaddress
import os
import socket
from dataclasses import dataclass, fields
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
    proxy_client_cert_file: Path | None = option(None, help="the client certificate to show to aggregated API servers")
    proxy_client_key_file: Path | None = option(None, help="its key")
    requestheader_client_ca_file: Path | None = option(None, help="the CA that signs the proxy client certificate")
    service_account_key_file: Path | None = option(None, help="the private key that signs service account tokens")
    service_account_issuer: str = option(
        "https://kubernetes.default.svc.cluster.local", help="the issuer named in service account tokens"
    )
    service_cluster_ip_range: str = option("10.96.0.0/16", help="the range of the Services' own addresses")
    service_node_port_range: str = option("30000-32767", help="the ports for NodePort Services")
    max_requests_inflight: int = option(400, help="seats for reads; a list takes one for each 100 objects")
    max_mutating_requests_inflight: int = option(200, help="seats for writes")
    audit_policy_file: Path | None = option(None, help="an audit.k8s.io/v1 Policy: which requests are told")
    audit_log_path: str = option("", help="the file the audit log is written to, or - for standard output")
    audit_log_maxsize: int = option(100, help="megabytes after which the audit log is rotated")
    audit_log_maxbackup: int = option(10, help="rotated audit logs to keep")
    audit_log_maxage: int = option(0, help="days to keep rotated audit logs; 0 is for ever")
    token_auth_file: Path | None = option(None, help='static tokens, a line each: token,user,uid,"group1,group2"')


def check(options: Options) -> None:
    """Raises ValueError for a flag that makes no sense, with a sentence."""
    for field in fields(options):
        path = getattr(options, field.name)
        if isinstance(path, Path) and not os.access(path, os.R_OK):
            raise ValueError(f"--{field.name.replace('_', '-')}: {path} cannot be read")
    for network in options.service_cluster_ip_range.split(","):
        ipaddress.ip_network(network.strip())
    if bool(options.audit_log_path) != (options.audit_policy_file is not None):
        raise ValueError("--audit-policy-file and --audit-log-path go together: one says what is told, one where")
    if min(options.max_requests_inflight, options.max_mutating_requests_inflight) < 1:
        raise ValueError("--max-requests-inflight and --max-mutating-requests-inflight must be at least 1")
    low, _, high = options.service_node_port_range.partition("-")
    if not (low.isdigit() and high.isdigit() and 0 < int(low) <= int(high) < 65536):
        raise ValueError(f"{options.service_node_port_range!r} is no range of ports: write it as 30000-32767")


def own_address(options: Options) -> str:
    """The address under which others reach this server: as told, as bound, or that of the way out of this machine."""
    if options.advertise_address:
        return options.advertise_address
    if options.bind_address not in ("", "0.0.0.0", "::"):
        return options.bind_address
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing: it only asks the routing table
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])

"""Every certificate and kubeconfig of a cluster: who each daemon is, and what it shows to prove it."""

from __future__ import annotations

import base64
import shutil
from pathlib import Path

import yaml

from cluster.layout import Layout, Network
from cluster.pki import Authority, Pair, Subject, make_signing_key, write_private

CLIENTS = {
    "admin": Subject("kubernetes-admin", ("system:masters",)),
    "scheduler": Subject("system:kube-scheduler"),
    "controllers": Subject("system:kube-controller-manager"),
    "proxy": Subject("system:kube-proxy"),
}


def pair(layout: Layout, name: str) -> Pair:
    """The files of the certificate called `name`."""
    return Pair(layout.pki / f"{name}.crt", layout.pki / f"{name}.key")


def control_plane(layout: Layout, network: Network, addresses: tuple[str, ...], server: str) -> None:
    """Make what a control plane needs: authorities, serving certificates, the daemons' kubeconfigs, the signing key.

    Args:
        addresses: names and addresses under which clients reach this API server and etcd.
        server: the API server's URL as the kubeconfigs shall name it.
    """
    layout.make()
    authority = Authority(layout.pki, "ca")
    hosts = (
        *("localhost", "127.0.0.1", *addresses, network.apiserver_service),
        *("kubernetes", "kubernetes.default", "kubernetes.default.svc", f"kubernetes.default.svc.{network.domain}"),
    )
    authority.issue(pair(layout, "apiserver"), Subject("kube-apiserver", hosts=hosts, client=False))
    authority.issue(
        pair(layout, "apiserver-kubelet-client"), Subject("kube-apiserver-kubelet-client", ("system:masters",))
    )
    front = Authority(layout.pki, "front-proxy-ca")
    front.issue(pair(layout, "front-proxy-client"), Subject("front-proxy-client"))
    make_signing_key(layout.pki / "service-accounts.key")
    etcd = Authority(layout.pki, "etcd-ca")
    etcd.issue(pair(layout, "etcd"), Subject("etcd", hosts=("localhost", "127.0.0.1", *addresses)))
    etcd.issue(pair(layout, "etcd-client"), Subject("kube-apiserver"))
    for who, subject in CLIENTS.items():
        authority.issue(pair(layout, who), subject)
        write_kubeconfig(layout, who, server)


def node(authority: Layout, layout: Layout, name: str, addresses: tuple[str, ...], server: str) -> None:
    """Make what the node `name` needs: certificates and kubeconfigs of its kubelet and its proxy.

    Args:
        authority: where the certificate authority lies.
        layout: where the node's files go; the same one on a machine that is control plane and node.
    """
    layout.make()
    signing = Authority(authority.pki, "ca")
    if layout.pki != authority.pki:
        shutil.copyfile(authority.pki / "ca.crt", layout.pki / "ca.crt")
    signing.issue(pair(layout, "kubelet"), Subject(f"system:node:{name}", ("system:nodes",)))
    signing.issue(pair(layout, "kubelet-server"), Subject(name, hosts=(name, "localhost", "127.0.0.1", *addresses)))
    signing.issue(pair(layout, "proxy"), CLIENTS["proxy"])
    for who in ("kubelet", "proxy"):
        write_kubeconfig(layout, who, server)


def write_kubeconfig(layout: Layout, who: str, server: str) -> None:
    """Write `who`'s kubeconfig (0600) with its certificate in it, so that one file is all a client needs."""
    files = pair(layout, who)
    user = CLIENTS[who].user if who in CLIENTS else who
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": "pytheas",
                "cluster": {"server": server, "certificate-authority-data": _base64(layout.pki / "ca.crt")},
            }
        ],
        "users": [
            {
                "name": user,
                "user": {
                    "client-certificate-data": _base64(files.certificate),
                    "client-key-data": _base64(files.key),
                },
            }
        ],
        "contexts": [{"name": f"{user}@pytheas", "context": {"cluster": "pytheas", "user": user}}],
        "current-context": f"{user}@pytheas",
    }
    write_private(layout.kubeconfig(who), yaml.safe_dump(config, sort_keys=False).encode())


def _base64(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()

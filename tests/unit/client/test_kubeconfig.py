"""Which configuration is chosen, and what a user is told when none can be."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
import yaml

from client import kubeconfig
from client.kubeconfig import Config, ConfigError

NO_ADMIN = Path("/does/not/exist")


@pytest.fixture(autouse=True)
def _no_admin_conf(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kubeconfig, "ADMIN_CONF", NO_ADMIN)


def document(name: str = "one", **user: Any) -> dict[str, Any]:
    return {
        "current-context": name,
        "clusters": [{"name": name, "cluster": {"server": f"https://{name}:6443/", "certificate-authority": "ca.crt"}}],
        "users": [{"name": name, "user": user or {"token": f"secret-{name}"}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name, "namespace": f"ns-{name}"}}],
    }


def write(path: Path, *documents: dict[str, Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump_all(documents))
    return path


def test_a_file_that_is_named_is_taken(tmp_path: Path) -> None:
    file = write(tmp_path / "config", document())
    config = kubeconfig.load(file, environ={"KUBECONFIG": "/else"})
    assert config.server == "https://one:6443"
    assert config.namespace == "ns-one"
    assert config.ca_file == tmp_path / "ca.crt"
    assert config.bearer_token() == "secret-one"
    assert "secret-one" not in repr(config)


def test_of_several_files_the_first_to_say_a_thing_wins(tmp_path: Path) -> None:
    first, second = document(), document("two")
    second["clusters"].append({"name": "one", "cluster": {"server": "https://wrong"}})
    paths = [write(tmp_path / "a" / "config", first), write(tmp_path / "b" / "config", second)]
    environ = {"KUBECONFIG": f"{paths[0]}:{tmp_path}/missing:{paths[1]}"}
    assert kubeconfig.load(environ=environ).server == "https://one:6443"
    other = kubeconfig.load(context="two", environ=environ)
    assert (other.server, other.ca_file) == ("https://two:6443", tmp_path / "b" / "ca.crt")
    mixed = kubeconfig.load(cluster="two", user="one", environ=environ)
    assert (mixed.server, mixed.token) == ("https://two:6443", "secret-one")


def test_home_then_the_clusters_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kubeconfig, "ADMIN_CONF", write(tmp_path / "admin.conf", document("admin")))
    environ = {"HOME": str(tmp_path)}
    assert kubeconfig.load(environ=environ).context == "admin"
    write(tmp_path / ".kube" / "config", document("home"))
    assert kubeconfig.load(environ=environ).context == "home"


def test_a_pods_service_account(tmp_path: Path) -> None:
    environ = {"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "443"}
    assert kubeconfig.in_cluster(environ, tmp_path) is None
    (tmp_path / "token").write_text("first\n")
    (tmp_path / "namespace").write_text("mine")
    config = kubeconfig.in_cluster(environ, tmp_path)
    assert config is not None
    assert (config.server, config.namespace) == ("https://[fd00::1]:443", "mine")
    assert config.bearer_token() == "first"
    (tmp_path / "token").write_text("second")
    assert config.bearer_token() == "second"


def test_data_in_the_file_is_decoded(tmp_path: Path) -> None:
    pem = base64.b64encode(b"-----BEGIN").decode()
    file = write(tmp_path / "config", document(**{"client-certificate-data": pem, "client-key-data": pem}))
    config = kubeconfig.load(file)
    assert config.cert_data == config.key_data == b"-----BEGIN"
    with pytest.raises(ConfigError, match="the certificates for https://one:6443 cannot be used"):
        config.ssl_context()


def without(part: str) -> dict[str, Any]:
    return {**document(), part: []}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (without("clusters"), 'cluster "one" does not exist'),
        (without("users"), 'user "one" does not exist'),
        (without("contexts"), 'context "one" does not exist'),
        ({}, "no current context"),
        (document(exec={"command": "x"}), "logs in by 'exec'"),
        (document(**{"client-key-data": "!"}), "client-key-data in the kubeconfig is not base64"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, content: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        kubeconfig.load(write(tmp_path / "config", content))


@pytest.mark.parametrize(("text", "message"), [("{", "is not YAML"), ("- a", "is not a kubeconfig")])
def test_what_is_no_kubeconfig_is_said(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "config"
    file.write_text(text)
    with pytest.raises(ConfigError, match=message):
        kubeconfig.load(file)


def test_nothing_at_all_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no kubeconfig was found"):
        kubeconfig.load(environ={"HOME": str(tmp_path)})
    with pytest.raises(ConfigError, match="cannot be read"):
        kubeconfig.load(tmp_path / "missing")


def test_a_plain_server_needs_no_certificates() -> None:
    assert Config("http://127.0.0.1:8080").ssl_context() is None

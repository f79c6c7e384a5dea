"""Flags that make no sense are told in a sentence."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from apiserver.options import Options, check, own_address


@pytest.fixture
def options(tmp_path: Path) -> Options:
    path = tmp_path / "file"
    path.write_text("")
    return Options(etcd_servers=("http://x",), tls_cert_file=path, tls_key_file=path, client_ca_file=path)


def test_good_flags(options: Options) -> None:
    check(options)


@pytest.mark.parametrize(
    ("flag", "value", "words"),
    [
        ("tls_key_file", Path("/nowhere/key"), "--tls-key-file: /nowhere/key cannot be read"),
        ("service_cluster_ip_range", "10.96.0.0/99", "10.96.0.0/99"),
        ("service_node_port_range", "30000", "no range of ports"),
        ("service_node_port_range", "40000-30000", "no range of ports"),
    ],
)
def test_bad_flags(options: Options, flag: str, value: object, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        check(replace(options, **{flag: value}))  # type: ignore[arg-type]


def test_the_own_address(options: Options) -> None:
    assert own_address(replace(options, advertise_address="10.0.0.9")) == "10.0.0.9"
    assert own_address(replace(options, bind_address="10.0.0.8")) == "10.0.0.8"
    assert own_address(options).count(".") == 3

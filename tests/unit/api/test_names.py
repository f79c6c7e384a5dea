"""Names, labels and keys."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api import names


@pytest.mark.parametrize("name", ["a", "my-name", "123-abc", "a" * 63])
def test_good_labels(name: str) -> None:
    assert names.dns1123_label(name) == []


@pytest.mark.parametrize("name", ["", "-a", "a-", "A", "a_b", "a\n", "ä", "a" * 64])
def test_bad_labels(name: str) -> None:
    assert names.dns1123_label(name)


def test_the_label_message_is_the_apis() -> None:
    assert names.dns1123_label("My_Pod") == [
        "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end "
        "with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
        "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
    ]
    assert names.dns1123_label("a.b") == ["must not contain dots"]
    assert names.dns1123_label("a" * 64) == ["must be no more than 63 bytes"]


def test_subdomains_and_services() -> None:
    assert names.dns1123_subdomain("a.b-c.d") == []
    assert names.dns1123_subdomain("a..b")
    assert names.dns1123_subdomain("a" * 254) == ["must be no more than 253 bytes"]
    assert names.dns1035_label("web") == []
    assert names.dns1035_label("1web")


@pytest.mark.parametrize("key", ["app", "example.com/App", "a_b.c-d", "a" * 63])
def test_good_label_keys(key: str) -> None:
    assert names.qualified_name(key) == []


@pytest.mark.parametrize(
    ("key", "start"),
    [
        ("", "name part must be non-empty"),
        ("/x", "prefix part must be non-empty"),
        ("A_/x", "prefix part a lowercase RFC 1123 subdomain"),
        ("a/b/c", "a qualified name must consist of"),
        ("-x", "name part must consist of alphanumeric characters"),
        ("a" * 64, "name part must be no more than 63 bytes"),
    ],
)
def test_bad_label_keys(key: str, start: str) -> None:
    assert names.qualified_name(key)[0].startswith(start)


def test_label_values() -> None:
    assert names.label_value("") == names.label_value("A.b_c-1") == []
    assert names.label_value("a b")
    assert names.label_value("x" * 64) == ["must be no more than 63 bytes"]


def test_port_names() -> None:
    assert names.port_name("http-2") == []
    assert names.port_name("a--b") == ["must not contain consecutive hyphens"]
    assert names.port_name("80") == ["must contain at least one letter (a-z)"]
    assert names.port_name("-a") == ["must not begin or end with a hyphen"]
    assert names.port_name("a" * 16) == ["must be no more than 15 bytes"]


def test_environment_and_config_keys() -> None:
    assert names.env_var_name("MY VAR!") == []
    assert names.env_var_name("A=B")
    assert names.env_var_name("")
    assert names.config_key("app.properties") == []
    assert names.config_key("..") == ["must not be '..'"]
    assert names.config_key("..x") == ["must not start with '..'"]
    assert names.config_key("a/b")


@given(st.text(alphabet="abc-", max_size=80))
def test_generated_names_fit_and_keep_the_prefix(prefix: str) -> None:
    name = names.generate(prefix)
    assert len(name) <= 63
    assert name.startswith(prefix[:58])
    assert set(name[-5:]) <= set(names.ALPHABET)


def test_safe_encoding() -> None:
    assert names.safe_encode(0) == names.ALPHABET[ord("0") % 27]
    assert len(names.safe_encode("4294967295")) == 10

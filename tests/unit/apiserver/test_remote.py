"""Other servers: where a Service is answered, and the words for answers and failures."""

from __future__ import annotations

import errno
import os
import socket
import ssl

import aiohttp
import pytest
from aiohttp.client_reqrep import ConnectionKey

from apiserver.remote import tls
from apiserver.remote.address import Address
from apiserver.remote.failure import describe
from apiserver.remote.services import as_slice, ready_in
from apiserver.remote.webhook import Endpoint, WebhookError, read_answer

KEY = ConnectionKey("hook.ns.svc", 443, True, True, None, None, None, None)


def test_ready_endpoints_of_a_port() -> None:
    endpoint_slice = {
        "ports": [{"name": "https", "port": 8443}, {"name": "metrics", "port": 9000}],
        "endpoints": [
            {"addresses": ["10.0.0.1"], "conditions": {"ready": True}},
            {"addresses": ["10.0.0.2"], "conditions": {"ready": False}},
            {"addresses": ["10.0.0.3"]},
        ],
    }
    assert list(ready_in(endpoint_slice, "https")) == [Address("10.0.0.1", 8443), Address("10.0.0.3", 8443)]
    assert not list(ready_in(endpoint_slice, "http"))


def test_endpoints_made_by_hand_count_as_slices() -> None:
    subset = {
        "addresses": [{"ip": "10.0.0.1"}],
        "notReadyAddresses": [{"ip": "10.0.0.2"}],
        "ports": [{"name": "https", "port": 8443}],
    }
    assert list(ready_in(as_slice(subset), "https")) == [Address("10.0.0.1", 8443)]


def test_a_service_is_asked_at_its_endpoint_under_its_name() -> None:
    endpoint = Endpoint("https://hook.ns.svc:443/path?timeout=5s", "hook.ns.svc", Address("fd00::1", 8443))
    assert endpoint.target == "https://[fd00::1]:8443/path?timeout=5s"
    assert Endpoint("https://hook.ns.svc/x", "hook.ns.svc").target == "https://hook.ns.svc/x"


@pytest.mark.parametrize(
    ("status", "content_type", "body", "why"),
    [
        (404, "text/plain", b"404 page not found", "the server could not find the requested resource"),
        (500, "text/plain", b"boom\n", 'an error on the server ("boom") has prevented the request from succeeding'),
        (502, "text/html", b"<x>", 'an error on the server ("<x>") has prevented the request from succeeding'),
        (503, "application/json", b"x", "the server is currently unable to handle the request"),
        (302, "", b"", "the server responded with the status code 302 but did not return more information"),
        (200, "application/json", b"[]", "Object 'Kind' is missing in '[]'"),
        (403, "application/json", b'{"kind":"Status","status":"Failure","message":"not you"}', "not you"),
    ],
)
def test_answers_that_are_no_objects(status: int, content_type: str, body: bytes, why: str) -> None:
    with pytest.raises(WebhookError) as caught:
        read_answer(status, content_type, body)
    assert str(caught.value) == why


def test_an_answer_that_is_no_json() -> None:
    with pytest.raises(WebhookError, match="couldn't get version/kind; json parse error: "):
        read_answer(200, "application/json", b"nonsense")
    assert read_answer(200, "application/json", b'{"kind":"AdmissionReview"}') == {"kind": "AdmissionReview"}


def test_failed_connections() -> None:
    refused = OSError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED))
    failed = aiohttp.ClientConnectorError(KEY, refused)
    assert describe(failed, "hook.ns.svc") == "dial tcp hook.ns.svc:443: connect: connection refused"
    lost = aiohttp.ClientConnectorDNSError(KEY, socket.gaierror(-2, "Name or service not known"))
    assert describe(lost, "hook.ns.svc") == "dial tcp: lookup hook.ns.svc: no such host"
    assert describe(aiohttp.ServerDisconnectedError(), "hook.ns.svc") == "EOF"


@pytest.mark.parametrize(
    ("code", "why"),
    [
        (20, "x509: certificate signed by unknown authority"),
        (10, "x509: certificate has expired or is not yet valid"),
        (62, "x509: certificate is not valid for hook.ns.svc: Hostname mismatch"),
    ],
)
def test_certificates_that_are_not_believed(code: int, why: str) -> None:
    error = ssl.SSLCertVerificationError(1, "failed")
    error.verify_code, error.verify_message = code, "Hostname mismatch"
    failed = aiohttp.ClientConnectorCertificateError(KEY, error)
    assert describe(failed, "hook.ns.svc") == f"tls: failed to verify certificate: {why}"


def test_a_bundle_that_is_none() -> None:
    with pytest.raises(ValueError, match="unable to load root certificates"):
        tls.trusting("bm9uc2Vuc2U=")
    assert tls.trusting("") is tls.trusting("")

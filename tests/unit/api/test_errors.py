"""Errors and field errors: the wire form of every refusal."""

from __future__ import annotations

import pytest

from api import errors, field
from api.field import Path

IMAGE = Path("spec") / "containers" / 0 / "image"


def test_a_path_reads_as_the_api_writes_it() -> None:
    assert str(IMAGE) == "spec.containers[0].image"
    assert str(Path("metadata") / "labels" / "x" / 3) == "metadata.labels.x[3]"
    assert str((Path("spec") / "selector").key("app")) == "spec.selector[app]"
    assert str(Path()) == "<nil>"


@pytest.mark.parametrize(
    ("error", "message", "reason"),
    [
        (field.required(IMAGE), "spec.containers[0].image: Required value", "FieldValueRequired"),
        (field.required(IMAGE, "why"), "spec.containers[0].image: Required value: why", "FieldValueRequired"),
        (
            field.invalid("spec.replicas", -1, "must be greater than or equal to 0"),
            "spec.replicas: Invalid value: -1: must be greater than or equal to 0",
            "FieldValueInvalid",
        ),
        (field.invalid("f", None, "no"), 'f: Invalid value: "null": no', "FieldValueInvalid"),
        (field.invalid("f", True, "no"), "f: Invalid value: true: no", "FieldValueInvalid"),
        (field.invalid("f", {"b": 1, "a": "x"}, "no"), 'f: Invalid value: {"a":"x","b":1}: no', "FieldValueInvalid"),
        (
            field.not_supported("f", "z", {"b", "a"}),
            'f: Unsupported value: "z": supported values: "a", "b"',
            "FieldValueNotSupported",
        ),
        (field.forbidden("f", "may not change"), "f: Forbidden: may not change", "FieldValueForbidden"),
        (field.duplicate("f", "x"), 'f: Duplicate value: "x"', "FieldValueDuplicate"),
        (field.too_long("f", "x" * 9, 5), "f: Too long: may not be more than 5 bytes", "FieldValueTooLong"),
        (field.too_many("f", 4, 3), "f: Too many: 4: must have at most 3 items", "FieldValueTooMany"),
        (field.not_found("f", "x"), 'f: Not found: "x"', "FieldValueNotFound"),
        (field.type_invalid("f", 1, "no"), "f: Invalid value: 1: no", "FieldValueTypeInvalid"),
    ],
)
def test_field_errors_have_the_apis_words(error: field.FieldError, message: str, reason: str) -> None:
    assert error.message == message
    assert error.cause() == {"reason": reason, "message": message.partition(": ")[2], "field": error.field}


@pytest.mark.parametrize(
    ("error", "code", "reason", "message"),
    [
        (errors.NotFound("deployments.apps", "x"), 404, "NotFound", 'deployments.apps "x" not found'),
        (errors.AlreadyExists("pods", "x"), 409, "AlreadyExists", 'pods "x" already exists'),
        (
            errors.Conflict("pods", "x"),
            409,
            "Conflict",
            'Operation cannot be fulfilled on pods "x": the object has been modified; '
            "please apply your changes to the latest version and try again",
        ),
        (errors.Forbidden("pods", "x", "no"), 403, "Forbidden", 'pods "x" is forbidden: no'),
        (errors.Forbidden("pods", "", "no"), 403, "Forbidden", "pods is forbidden: no"),
        (errors.Forbidden("", "", "no"), 403, "Forbidden", "forbidden: no"),
        (errors.Unauthorized(), 401, "Unauthorized", "Unauthorized"),
        (
            errors.MethodNotSupported("pods", "delete"),
            405,
            "MethodNotAllowed",
            'delete is not supported on resources of kind "pods"',
        ),
        (errors.InternalError("boom"), 500, "InternalError", "Internal error occurred: boom"),
        (errors.Timeout("slow"), 504, "Timeout", "Timeout: slow"),
        (
            errors.ServerTimeout("pods", "list", 2),
            500,
            "ServerTimeout",
            "The list operation against pods could not be completed at this time, please try again.",
        ),
        (
            errors.RequestEntityTooLarge("limit is 3145728"),
            413,
            "RequestEntityTooLarge",
            "Request entity too large: limit is 3145728",
        ),
    ],
)
def test_status_bodies(error: errors.StatusError, code: int, reason: str, message: str) -> None:
    status = error.status()
    assert (status["code"], status["reason"], status["message"]) == (code, reason, message)
    assert (status["kind"], status["apiVersion"], status["status"]) == ("Status", "v1", "Failure")


def test_not_found_names_what_is_missing() -> None:
    details = errors.NotFound("deployments.apps", "x").status()["details"]
    assert details == {"name": "x", "group": "apps", "kind": "deployments"}


def test_invalid_lists_every_cause_but_says_each_message_once() -> None:
    problems = [field.required("a"), field.required("a"), field.required("b")]
    status = errors.Invalid("Deployment", "apps", "web", problems).status()
    assert status["message"] == 'Deployment.apps "web" is invalid: [a: Required value, b: Required value]'
    assert len(status["details"]["causes"]) == 3
    assert status["details"]["kind"] == "Deployment"
    assert errors.Invalid("Pod", "", "", [field.required("a")]).message == 'Pod "" is invalid: a: Required value'


def test_every_error_survives_the_wire() -> None:
    for error in (
        errors.NotFound("pods", "x"),
        errors.Invalid("Pod", "", "x", [field.required("a")]),
        errors.TooManyRequests("later", retry_after=3),
        errors.Expired(),
        errors.Forbidden("pods", "x", "no"),
    ):
        again = errors.from_status(error.status(), error.code)
        assert type(again) is type(error)
        assert again.status() == error.status()
        assert again.retry_after == error.retry_after


def test_an_answer_without_a_status_goes_by_its_code() -> None:
    assert isinstance(errors.from_status(None, 404), errors.NotFound)
    assert isinstance(errors.from_status({"kind": "Pod"}, 503), errors.ServiceUnavailable)
    teapot = errors.from_status(None, 418)
    assert teapot.code == 418
    assert "418" in str(teapot)


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("web", '"web"'),
        ("", '""'),
        ('a"b', r'"a\"b"'),
        ("a\\b", r'"a\\b"'),
        ("a\nb\tc", r'"a\nb\tc"'),
        ("\x01\x7f", r'"\x01\x7f"'),
        ("größe ☃", '"größe ☃"'),
        ("\u200b", r'"\u200b"'),
    ],
)
def test_strings_are_quoted_as_go_does(text: str, quoted: str) -> None:
    assert field.quote(text) == quoted

"""The options of writes, deletes, lists, watches and logs, and what is wrong with some."""

from __future__ import annotations

from typing import Any

import pytest

from api.errors import BadRequest, Invalid
from apiserver.endpoints.delete import DeleteOptions, read_options
from apiserver.endpoints.options import WriteOptions, write_options
from apiserver.endpoints.paging import decode_token, encode_token
from apiserver.endpoints.warning import headers, told
from apiserver.endpoints.watch import read_wish
from apiserver.streaming.log import read_options as log_options
from apiserver.streaming.place import choose_container


def test_write_options() -> None:
    assert write_options({}, "CreateOptions") == WriteOptions()
    query = {"dryRun": "All", "fieldValidation": "Strict", "fieldManager": "me"}
    assert write_options(query, "CreateOptions") == WriteOptions(True, "Strict", "me")
    with pytest.raises(Invalid) as refused:
        write_options({"dryRun": "x", "fieldValidation": "y", "fieldManager": "z" * 129}, "PatchOptions")
    assert [error.field for error in refused.value.errors] == ["fieldManager", "dryRun", "fieldValidation"]


@pytest.mark.parametrize(
    ("body", "query", "options"),
    [
        ({}, {}, DeleteOptions()),
        ({"gracePeriodSeconds": 0}, {}, DeleteOptions(grace=0)),
        ({}, {"gracePeriodSeconds": "5"}, DeleteOptions(grace=5)),
        ({"gracePeriodSeconds": 1}, {"gracePeriodSeconds": "5"}, DeleteOptions(grace=1)),
        ({"orphanDependents": True}, {}, DeleteOptions(propagation="Orphan")),
        ({"orphanDependents": False}, {}, DeleteOptions(propagation="Background", cascades=True)),
        (
            {},
            {"propagationPolicy": "Foreground", "dryRun": "All"},
            DeleteOptions(propagation="Foreground", dry_run=True),
        ),
        ({"preconditions": {"uid": "u", "resourceVersion": "3"}}, {}, DeleteOptions(uid="u", version="3")),
    ],
)
def test_delete_options(body: dict[str, Any], query: dict[str, str], options: DeleteOptions) -> None:
    assert read_options(body, query) == options


def test_delete_options_that_make_no_sense() -> None:
    with pytest.raises(BadRequest):
        read_options({}, {"gracePeriodSeconds": "soon"})
    with pytest.raises(BadRequest):
        read_options({"gracePeriodSeconds": "5"}, {})
    with pytest.raises(BadRequest):
        read_options({"gracePeriodSeconds": True}, {})


def test_a_continue_token_comes_back() -> None:
    assert decode_token(encode_token(17, "ns/name")) == (17, "ns/name")
    with pytest.raises(BadRequest):
        decode_token("nonsense!")


def test_where_a_watch_starts() -> None:
    assert read_wish({}).start is None
    assert read_wish({"resourceVersion": "0"}).start is None
    assert read_wish({"resourceVersion": "7"}).start == 7
    initial = {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan", "allowWatchBookmarks": "true"}
    assert (read_wish(initial).start, read_wish(initial).mark_initial_end) == (None, True)
    assert read_wish({**initial, "sendInitialEvents": "false"}).start == 0
    assert 1800 <= read_wish({}).seconds <= 3600
    assert read_wish({"timeoutSeconds": "9"}).seconds == 9
    with pytest.raises(BadRequest):
        read_wish({"timeoutSeconds": "long"})


def test_log_options() -> None:
    query = {
        "follow": "true",
        "tailLines": "0",
        "timestamps": "false",
        "container": "c",
        "sinceTime": "2026-01-01T00:00:00Z",
    }
    assert log_options(query) == {"follow": "true", "tailLines": "0", "sinceTime": "2026-01-01T00:00:00Z"}
    with pytest.raises(Invalid) as refused:
        log_options({"tailLines": "-1", "limitBytes": "0", "sinceSeconds": "5", "sinceTime": "t", "stream": "x"})
    assert [error.field for error in refused.value.errors] == ["tailLines", "limitBytes", "sinceSeconds", "stream"]
    with pytest.raises(Invalid, match="mutually exclusive"):
        log_options({"tailLines": "1", "stream": "Stdout"})


def a_pod(*containers: str, init: tuple[str, ...] = (), default: str = "") -> dict[str, Any]:
    annotations = {"kubectl.kubernetes.io/default-container": default} if default else {}
    spec = {"containers": [{"name": name} for name in containers], "initContainers": [{"name": name} for name in init]}
    return {"metadata": {"name": "p", "annotations": annotations}, "spec": spec}


def test_whose_log() -> None:
    assert choose_container(a_pod("only"), "") == "only"
    assert choose_container(a_pod("a", "b"), "b") == "b"
    assert choose_container(a_pod("a", init=("i",)), "i") == "i"
    assert choose_container(a_pod("a", "b", default="b"), "") == "b"
    with pytest.raises(BadRequest, match="container c is not valid for pod p"):
        choose_container(a_pod("a", "b"), "c")
    expected = (
        r"a container name must be specified for pod p, choose one of: \[a b\] or one of the init containers: \[i\]"
    )
    with pytest.raises(BadRequest, match=expected):
        choose_container(a_pod("a", "b", init=("i",)), "")


def test_warnings_are_told_once_and_cut_when_they_are_many() -> None:
    assert told(["a", "b", "a", ""]) == ["a", "b"]
    assert headers(['say "x"\n']) == [(b"warning", b'299 - "say \\"x\\" "')]
    many = [f"{index:03}" + "x" * 497 for index in range(30)]
    assert told(many[:8]) == many[:8]
    assert [len(text) for text in told(many)] == [256] * 16

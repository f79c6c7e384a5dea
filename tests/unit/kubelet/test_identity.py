"""Who a container runs as, and what it says of that."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from api.types import core_v1
from kubelet.pod.identity import Accounts, Identity, identity
from kubelet.pod.problem import ConfigError, CreateError
from kubelet.runtime.devices import host_devices

PASSWD = """root:x:0:0:root:/root:/bin/sh
# a note
alice:x:1000:1000::/home/alice:/bin/sh
broken line
bob:x:1001:100::/:/bin/false
"""
GROUP = """root:x:0:
wheel:x:10:root,alice
staff:x:50:
crew:x:50000:alice,bob
"""
ACCOUNTS = Accounts.parse(PASSWD, GROUP)


def who(own: dict[str, Any], whole: dict[str, Any], image_user: str = "", accounts: Accounts = ACCOUNTS) -> Identity:
    spec = {"containers": [{"name": "main", "securityContext": own}], "securityContext": whole}
    metadata = {"name": "web", "namespace": "shop", "uid": "u-1"}
    pod = msgspec.convert({"metadata": metadata, "spec": spec}, core_v1.Pod)
    assert pod.spec is not None
    return identity(pod, pod.spec.containers[0], image_user, accounts)


@pytest.mark.parametrize(
    ("own", "whole", "image_user", "wanted"),
    [
        ({}, {}, "", Identity(0, 0, (0, 10))),
        ({}, {}, "alice", Identity(1000, 1000, (10, 1000, 50000))),
        ({}, {}, "alice:staff", Identity(1000, 50, (10, 50, 50000))),
        ({}, {}, "1001", Identity(1001, 100, (100, 50000))),
        ({}, {}, "77:88", Identity(77, 88, (88,))),
        ({"runAsUser": 5}, {"runAsUser": 9}, "alice:staff", Identity(5, 0, (0,))),
        ({}, {"runAsUser": 1000, "runAsGroup": 3000}, "", Identity(1000, 3000, (10, 3000, 50000))),
        ({"runAsGroup": 8}, {}, "alice", Identity(1000, 8, (8, 10, 50000))),
        (
            {},
            {"runAsUser": 1000, "runAsGroup": 3000, "supplementalGroups": [4000], "fsGroup": 2},
            "",
            Identity(1000, 3000, (2, 10, 3000, 4000, 50000)),
        ),
        (
            {},
            {"runAsUser": 1000, "supplementalGroups": [4000], "supplementalGroupsPolicy": "Strict"},
            "",
            Identity(1000, 1000, (1000, 4000)),
        ),
        ({"runAsNonRoot": True}, {}, "1000", Identity(1000, 1000, (10, 1000, 50000))),
        ({"runAsUser": 3}, {"runAsNonRoot": True}, "root", Identity(3, 0, (0,))),
    ],
)
def test_identities(own: dict[str, Any], whole: dict[str, Any], image_user: str, wanted: Identity) -> None:
    assert who(own, whole, image_user) == wanted
    assert Identity.parse(str(wanted)) == wanted


@pytest.mark.parametrize(
    ("own", "image_user", "message"),
    [
        ({"runAsUser": 0}, "", "container's runAsUser breaks non-root policy"),
        ({}, "", "container has runAsNonRoot and image will run as root"),
        ({}, "0:0", "container has runAsNonRoot and image will run as root"),
        (
            {},
            "alice",
            "container has runAsNonRoot and image has non-numeric user (alice), cannot verify user is non-root",
        ),
    ],
)
def test_non_root_is_verified(own: dict[str, Any], image_user: str, message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        who(own, {"runAsNonRoot": True}, image_user)
    assert str(raised.value) == f'{message} (pod: "web_shop(u-1)", container: main)'
    assert raised.value.reason == "CreateContainerConfigError"


@pytest.mark.parametrize("image_user", ["nobody", "alice:nobody"])
def test_an_image_whose_user_is_not_in_it(image_user: str) -> None:
    with pytest.raises(CreateError, match="no matching entries in"):
        who({}, {}, image_user)


def test_what_is_reported() -> None:
    told = Identity(1000, 3000, (3000, 4000)).reported()
    assert told == core_v1.ContainerUser(core_v1.LinuxContainerUser(3000, 1000, [3000, 4000]))
    assert Identity.parse("") is None
    assert Identity.parse("app:1:1") is None


def test_an_image_without_accounts() -> None:
    assert who({}, {}, "", Accounts()) == Identity(0, 0, (0,))


def test_the_machines_devices() -> None:
    found = host_devices()
    assert {"/dev/null", "/dev/zero"} <= set(found)
    assert not [path for path in found if path.startswith(("/dev/pts/", "/dev/shm/"))]
    assert all(Path(path).is_char_device() or Path(path).is_block_device() for path in found)

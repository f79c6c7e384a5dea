"""Who a container runs as: users and groups by number, worked out from the pod, the image's USER and the image's own
`/etc/passwd` and `/etc/group`.

The engine could look names up by itself, but not as Kubernetes means it: with a group given it forgets the groups that
the image has the user in, and it can't be told to leave them out (`supplementalGroupsPolicy`). And only who has done it
knows what to report.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from api.types import core_v1
from kubelet.pod.problem import ConfigError, CreateError


@dataclass(frozen=True, slots=True)
class User:
    name: str
    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Group:
    name: str
    gid: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Accounts:
    """An image's users and groups. The first entry that fits counts, as everywhere on Unix."""

    users: tuple[User, ...] = ()
    groups: tuple[Group, ...] = ()

    @classmethod
    def parse(cls, passwd: str, group: str) -> Accounts:
        """From the files' contents; lines that make no sense are passed over."""
        users = [User(row[0], int(row[2]), int(row[3])) for row in _rows(passwd, 4) if row[3].isdecimal()]
        groups = [Group(row[0], int(row[2]), tuple(filter(None, row[3].split(",")))) for row in _rows(group, 4)]
        return cls(tuple(users), tuple(groups))

    def user(self, given: str) -> User:
        """By name or number; a number needs no entry. Raises CreateError."""
        for each in self.users:
            if given in (each.name, str(each.uid)):
                return each
        if given.isdecimal():
            return User("", int(given), 0)
        raise CreateError(f"unable to find user {given}: no matching entries in passwd file")

    def group(self, given: str) -> int:
        """By name or number. Raises CreateError."""
        found = next((each.gid for each in self.groups if given in (each.name, str(each.gid))), None)
        if found is None and not given.isdecimal():
            raise CreateError(f"unable to find group {given}: no matching entries in group file")
        return int(given) if found is None else found

    def of_member(self, name: str) -> list[int]:
        return [each.gid for each in self.groups if name and name in each.members]


@dataclass(frozen=True, slots=True)
class Identity:
    """`groups` are all of them, the first one's number included, in order."""

    uid: int
    gid: int
    groups: tuple[int, ...]

    def __str__(self) -> str:
        return f"{self.uid}:{self.gid}:{','.join(map(str, self.groups))}"

    @classmethod
    def parse(cls, text: str) -> Identity | None:
        """From `str()` of one; None for anything else."""
        uid, _, rest = text.partition(":")
        gid, _, groups = rest.partition(":")
        numbers = [uid, gid, *groups.split(",")]
        if not all(each.isdecimal() for each in numbers):
            return None
        return cls(int(uid), int(gid), tuple(map(int, numbers[2:])))

    def reported(self) -> core_v1.ContainerUser:
        return core_v1.ContainerUser(linux=core_v1.LinuxContainerUser(self.gid, self.uid, list(self.groups)))


ROOT = Identity(0, 0, (0,))


def identity(pod: core_v1.Pod, container: core_v1.Container, image_user: str, accounts: Accounts) -> Identity:
    """Raises ConfigError when it would be somebody it must not be, CreateError when there is no such user."""
    assert pod.spec is not None
    whole = pod.spec.securityContext or core_v1.PodSecurityContext()
    own = container.securityContext or core_v1.SecurityContext()
    number = own.runAsUser if own.runAsUser is not None else whole.runAsUser
    group = own.runAsGroup if own.runAsGroup is not None else whole.runAsGroup
    not_root = own.runAsNonRoot if own.runAsNonRoot is not None else whole.runAsNonRoot
    if not_root:
        _check_not_root(pod, container.name, number, image_user)
    named, _, named_group = image_user.partition(":")
    user = accounts.user(str(number) if number is not None else named or "0")
    gid = user.gid
    if group is not None:
        gid = group
    elif number is None and named_group:
        gid = accounts.group(named_group)
    more = [*(whole.supplementalGroups or ()), *([whole.fsGroup] if whole.fsGroup is not None else [])]
    if whole.supplementalGroupsPolicy != "Strict":
        more += accounts.of_member(user.name)
    return Identity(user.uid, gid, tuple(sorted({gid, *more})))


def _check_not_root(pod: core_v1.Pod, container: str, number: int | None, image_user: str) -> None:
    metadata = pod.metadata
    assert metadata is not None
    where = f'(pod: "{metadata.name}_{metadata.namespace}({metadata.uid})", container: {container})'
    named = image_user.partition(":")[0]
    if number is not None:
        if number == 0:
            raise ConfigError(f"container's runAsUser breaks non-root policy {where}")
    elif not named or (named.isdecimal() and int(named) == 0):
        raise ConfigError(f"container has runAsNonRoot and image will run as root {where}")
    elif not named.isdecimal():
        text = f"container has runAsNonRoot and image has non-numeric user ({named}), cannot verify user is non-root"
        raise ConfigError(f"{text} {where}")


def _rows(text: str, columns: int) -> Iterator[list[str]]:
    """The rows with enough columns and a number in the third."""
    for line in text.splitlines():
        row = line.strip().split(":")
        if len(row) >= columns and row[2].isdecimal() and not row[0].startswith("#"):
            yield row

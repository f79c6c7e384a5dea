"""The audit policy: which requests are told, and how much of each. The first rule that fits decides; none, nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any

from apiserver.auth.authorize import Attempt
from apiserver.auth.user import User

API_VERSION = "audit.k8s.io/v1"
STAGES = ("RequestReceived", "ResponseStarted", "ResponseComplete", "Panic")


class PolicyError(ValueError):
    """The policy file makes no sense; the message says where."""


class Level(IntEnum):
    """How much is told; each includes those before it."""

    None_ = 0
    Metadata = 1
    Request = 2
    RequestResponse = 3

    @property
    def word(self) -> str:
        return self.name.rstrip("_")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to be told of a request."""

    level: Level = Level.None_
    omitted: frozenset[str] = frozenset()
    """Stages that are not told."""
    omit_managed_fields: bool = False


NOTHING = Verdict()


@dataclass(frozen=True, slots=True)
class Group:
    """Resources of one API group; empty lists mean all of them."""

    group: str
    resources: tuple[str, ...]
    names: frozenset[str]

    def fits(self, attempt: Attempt) -> bool:
        if self.group != attempt.group:
            return False
        if not self.resources:
            return True
        if self.names and attempt.name not in self.names:
            return False
        plural, _, subresource = attempt.resource.partition("/")
        return any(
            pattern in ("*", attempt.resource)
            or (subresource and pattern == f"*/{subresource}")
            or pattern == f"{plural}/*"
            for pattern in self.resources
        )


@dataclass(frozen=True, slots=True)
class Rule:
    """Conditions that must all hold; an empty one always does."""

    verdict: Verdict
    users: frozenset[str]
    groups: frozenset[str]
    verbs: frozenset[str]
    resources: tuple[Group, ...]
    namespaces: frozenset[str]
    paths: tuple[str, ...]

    def fits(self, user: User, attempt: Attempt) -> bool:
        if self.users and user.name not in self.users:
            return False
        if self.groups and self.groups.isdisjoint(user.groups):
            return False
        if self.verbs and attempt.verb not in self.verbs:
            return False
        if self.resources or self.namespaces:
            return self._fits_resource(attempt)
        if self.paths:
            return bool(attempt.path) and any(_path_fits(pattern, attempt.path) for pattern in self.paths)
        return True

    def _fits_resource(self, attempt: Attempt) -> bool:
        if attempt.path or (self.namespaces and attempt.namespace not in self.namespaces):
            return False
        return not self.resources or any(group.fits(attempt) for group in self.resources)


def _path_fits(pattern: str, path: str) -> bool:
    return pattern in ("*", path) or (pattern.endswith("*") and path.startswith(pattern[:-1]))


@dataclass(frozen=True, slots=True)
class Policy:
    """Rules in the order of the file."""

    rules: tuple[Rule, ...]

    def verdict(self, user: User, attempt: Attempt) -> Verdict:
        return next((rule.verdict for rule in self.rules if rule.fits(user, attempt)), NOTHING)


def load(path: Path) -> Policy:
    """Read a policy file. Raises PolicyError, OSError."""
    import yaml

    try:
        value = yaml.safe_load(path.read_text())
    except yaml.YAMLError as error:
        raise PolicyError(f"{path} is no YAML: {error}") from error
    try:
        return read(value)
    except PolicyError as error:
        raise PolicyError(f"{path}: {error}") from error


def read(value: Any) -> Policy:
    """A policy from its object. Raises PolicyError."""
    if not isinstance(value, dict) or (value.get("apiVersion"), value.get("kind")) != (API_VERSION, "Policy"):
        raise PolicyError(f"want a Policy of {API_VERSION}")
    rules = value.get("rules")
    if not isinstance(rules, list) or not rules:
        raise PolicyError("rules: a policy has at least one")
    stages = _words(value, "omitStages", "")
    managed = bool(value.get("omitManagedFields"))
    return Policy(tuple(_rule(rule, f"rules[{index}]", stages, managed) for index, rule in enumerate(rules)))


def _rule(rule: Any, at: str, stages: frozenset[str], managed: bool) -> Rule:
    if not isinstance(rule, dict):
        raise PolicyError(f"{at}: must be an object")
    levels = {level.word: level for level in Level}
    if rule.get("level") not in levels:
        raise PolicyError(f"{at}.level: {rule.get('level')!r} is none of {', '.join(levels)}")
    omitted = stages | _words(rule, "omitStages", at)
    if unknown := sorted(omitted - set(STAGES)):
        raise PolicyError(f"{at}.omitStages: {unknown[0]!r} is none of {', '.join(STAGES)}")
    paths = tuple(sorted(_words(rule, "nonResourceURLs", at)))
    resources = tuple(
        _group(each, f"{at}.resources[{index}]") for index, each in enumerate(rule.get("resources") or ())
    )
    namespaces = _words(rule, "namespaces", at)
    if paths and (resources or namespaces):
        raise PolicyError(f"{at}: a rule is for resources or for nonResourceURLs, not for both")
    verdict = Verdict(levels[rule["level"]], omitted, bool(rule.get("omitManagedFields", managed)))
    users, groups = _words(rule, "users", at), _words(rule, "userGroups", at)
    return Rule(verdict, users, groups, _words(rule, "verbs", at), resources, namespaces, paths)


def _group(value: Any, at: str) -> Group:
    if not isinstance(value, dict):
        raise PolicyError(f"{at}: must be an object")
    names = _words(value, "resourceNames", at)
    resources = tuple(sorted(_words(value, "resources", at)))
    if names and not resources:
        raise PolicyError(f"{at}.resourceNames: needs resources beside it")
    return Group(str(value.get("group") or ""), resources, names)


def _words(value: Mapping[str, Any], name: str, at: str) -> frozenset[str]:
    words = value.get(name) or []
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise PolicyError(f"{at}.{name}: must be a list of strings" if at else f"{name}: must be a list of strings")
    return frozenset(words)

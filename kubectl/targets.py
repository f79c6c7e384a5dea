"""What a command works on: `pods`, `pod web-1 web-2`, `deploy/web svc/web`, `pods,services`, or files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kubectl.discovery import Catalog, Resource
from kubectl.errors import CliError


@dataclass(frozen=True)
class Target:
    """A resource, and a name in it, or all that a selector leaves."""

    resource: Resource
    name: str | None = None


def parse_targets(words: Sequence[str], catalog: Catalog) -> list[Target]:
    """The words after the command. Raises CliError for mixed forms and unknown kinds."""
    if not words:
        return []
    if any("/" in word for word in words):
        return [_slashed(word, catalog) for word in words]
    resources: list[Resource] = []
    for part in words[0].split(","):
        if not part:
            raise CliError(f'"{words[0]}" names no kind before or after a comma')
        resources.extend(r for r in catalog.expand(part) if r not in resources)
    if len(words) == 1:
        return [Target(resource) for resource in resources]
    return [Target(resource, name) for resource in resources for name in words[1:]]


def _slashed(word: str, catalog: Catalog) -> Target:
    kind, slash, name = word.partition("/")
    if not slash:
        raise CliError(
            "there is no need to specify a resource type as a separate argument when passing arguments in "
            "resource/name form (e.g. 'pytheas get resource/<resource_name>' instead of "
            "'pytheas get resource resource/<resource_name>'"
        )
    if not kind or not name or "/" in name:
        raise CliError("arguments in resource/name form may not have more than one slash")
    return Target(catalog.find(kind), name)

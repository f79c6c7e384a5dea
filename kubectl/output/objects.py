"""Whole objects in the formats of `-o`: json, yaml, name, jsonpath, custom-columns."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kubectl.errors import CliError
from kubectl.terminal import Terminal

if TYPE_CHECKING:
    from kubectl.output.columns import CustomColumns
    from kubectl.output.jsonpath import Template

FORMATS = (
    "json, yaml, name, wide, jsonpath=…, jsonpath-as-json=…, jsonpath-file=…, custom-columns=…, custom-columns-file=…"
)
Object = dict[str, Any]


def without_managed_fields(obj: Object) -> Object:
    for item in obj.get("items") or [obj]:
        item.get("metadata", {}).pop("managedFields", None)
    return obj


def as_json(value: Any) -> str:
    return json.dumps(value, indent=4, ensure_ascii=False, sort_keys=True) + "\n"


class ObjectPrinter:
    """Prints objects one after the other in one format. Raises CliError for a format it does not know."""

    def __init__(self, terminal: Terminal, form: str, *, headers: bool = True, managed_fields: bool = False) -> None:
        self._terminal = terminal
        self._kind, separator, argument = form.partition("=")
        self._managed_fields = managed_fields
        self._documents = 0
        self._template: Template | None = None
        self._columns: CustomColumns | None = None
        if self._kind.startswith("jsonpath"):
            self._template = _template(self._kind, separator, argument)
        elif self._kind.startswith("custom-columns"):
            self._columns = _columns(self._kind, argument, headers)
        elif self._kind not in ("json", "yaml", "name") or separator:
            raise CliError(
                f'unable to match a printer suitable for the output format "{form}", allowed formats are: {FORMATS}'
            )

    @property
    def whole(self) -> bool:
        """Whether several objects are printed as one List, not one by one."""
        return self._kind not in ("name",)

    def print(self, obj: Object, prefix: str) -> None:
        """`prefix` is `deployment.apps`, for `-o name`; a List prints its items."""
        if not self._managed_fields:
            without_managed_fields(obj)
        if self._kind == "name":
            self._terminal.print(f"{prefix}/{obj['metadata']['name']}")
        elif self._kind == "json":
            self._terminal.write(as_json(obj))
        elif self._kind == "yaml":
            self._print_yaml(obj)
        elif self._template is not None:
            self._print_template(self._template, obj)
        elif self._columns is not None:
            items: Sequence[Object] = obj["items"] if isinstance(obj.get("items"), list) else [obj]
            for line in self._columns.lines(items):
                self._terminal.print(line)

    def _print_yaml(self, obj: Object) -> None:
        from kubectl.output.yaml import dump

        if self._documents:
            self._terminal.print("---")
        self._documents += 1
        self._terminal.write(dump(obj))

    def _print_template(self, template: Template, obj: Object) -> None:
        if self._kind == "jsonpath-as-json":
            self._terminal.write(as_json(template.values(obj)))
        else:
            self._terminal.write(template.render(obj))


def _template(kind: str, separator: str, argument: str) -> Template:
    from kubectl.output.jsonpath import Template, relaxed

    if kind == "jsonpath-file":
        try:
            argument = Path(argument).read_text()
        except OSError as problem:
            raise CliError(f"error reading --template {argument}: {problem.strerror}") from problem
    if kind not in ("jsonpath", "jsonpath-file", "jsonpath-as-json"):
        raise CliError(
            f'unable to match a printer suitable for the output format "{kind}", allowed formats are: {FORMATS}'
        )
    if not separator or not argument:
        raise CliError(f"template format specified but no template given: write -o {kind}='{{.metadata.name}}'")
    return Template(argument if "{" in argument else relaxed(argument))


def _columns(kind: str, argument: str, headers: bool) -> CustomColumns:
    from kubectl.output.columns import CustomColumns

    if kind == "custom-columns-file":
        return CustomColumns.from_file(argument, headers)
    if kind != "custom-columns":
        raise CliError(
            f'unable to match a printer suitable for the output format "{kind}", allowed formats are: {FORMATS}'
        )
    return CustomColumns.from_spec(argument, headers)

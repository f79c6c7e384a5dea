"""YAML as kubectl prints it: sorted keys, lists flush with their key, block scalars for lines, double quotes where a
plain scalar would mean something else than a string."""

from __future__ import annotations

import re
from typing import Any

import yaml

Dumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)

_NOT_A_STRING = re.compile(
    r"""(?:
        y|yes|n|no|on|off|true|false|null|~|                # what YAML 1.1 takes for a boolean or nothing
        [-+]?(?:0x[0-9a-f_]+|0b[01_]+|0o?[0-7_]+)|          # whole numbers of other bases
        [-+]?[0-9][0-9_]*(?::[0-5]?[0-9])*(?:\.[0-9_]*)?(?:e[-+]?[0-9]+)?|
        [-+]?\.[0-9][0-9_]*(?:e[-+]?[0-9]+)?|
        [-+]?\.inf|\.nan|
        [0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt ].*)?|         # dates and times
        [-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?|
        =|<<
    )\Z""",
    re.VERBOSE | re.IGNORECASE,
)


class _Printer(Dumper):  # type: ignore[misc]
    def ignore_aliases(self, data: Any) -> bool:
        return True


def _string(dumper: Any, text: str) -> Any:
    style = None
    if "\n" in text and not any(line.endswith((" ", "\t")) for line in text.split("\n")) and "\t" not in text:
        style = "|"
    elif not text or _NOT_A_STRING.match(text):
        style = '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Printer.add_representer(str, _string)


def dump(value: Any) -> str:
    text: str = yaml.dump(
        value, Dumper=_Printer, default_flow_style=False, sort_keys=True, allow_unicode=True, width=80
    )
    return text

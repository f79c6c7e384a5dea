"""`$(NAME)` in command, args and env values: replaced if NAME is known, left as it stands if not; `$$` is a dollar
sign."""

from __future__ import annotations

import re
from collections.abc import Mapping

_TOKEN = re.compile(r"\$(?:\$|\(([^)]*)\))")


def expand(text: str, known: Mapping[str, str]) -> str:
    def replacement(match: re.Match[str]) -> str:
        if match[0] == "$$":
            return "$"
        return known.get(match[1], match[0])

    return _TOKEN.sub(replacement, text)

"""Times as people write them on a command line (`40s`, `1m30s`, `1.5h`), and as the program counts them: seconds."""

from __future__ import annotations

import re

_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)")


class Duration(float):
    """Seconds. An option of this type takes `5m` as well as a plain number of seconds."""

    @classmethod
    def parse(cls, text: str | float | int) -> Duration:
        """Go's duration syntax, or a number of seconds. Raises ValueError with a sentence."""
        if isinstance(text, int | float):
            return cls(text)
        stripped = text.strip()
        try:
            return cls(float(stripped))
        except ValueError:
            pass
        sign, rest = (-1, stripped[1:]) if stripped.startswith("-") else (1, stripped)
        total, end = 0.0, 0
        for part in _PART.finditer(rest):
            if part.start() != end:
                break
            total += float(part[1]) * _UNITS[part[2]]
            end = part.end()
        if not rest or end != len(rest):
            raise ValueError(f"{text!r} is not a duration: write it as 40s, 5m or 1m30s")
        return cls(sign * total)

    def __str__(self) -> str:
        left = abs(float(self))
        hours, left = divmod(left, 3600)
        minutes, seconds = divmod(left, 60)
        parts = [f"{int(hours)}h"] if hours else []
        if minutes:
            parts.append(f"{int(minutes)}m")
        if seconds or not parts:
            parts.append(f"{seconds:g}s")
        return ("-" if self < 0 else "") + "".join(parts)

"""The error of a daemon that cannot work as it was started: a sentence for whoever started it, and no traceback."""

from __future__ import annotations


class Fatal(Exception):
    """The message says what is wrong and, best, what to do. `daemon.run.main` logs it and exits with code 1."""

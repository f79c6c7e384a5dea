"""The one way in which setting up a volume fails by what was asked for."""

from __future__ import annotations


class MountError(Exception):
    """The volume can't be made as things are; the sentence is for the FailedMount event."""

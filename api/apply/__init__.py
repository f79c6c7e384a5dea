"""Server-side apply: who owns which field of an object, and what a configuration makes of it.

    managed = owned_after_update(new, old, given, scope, writer)
    new = Apply(config, scope, writer, force=False).to(live)

See `managers.py` and `configuration.py` for the rules, `typed.py` for how a schema steers them, and KEP-555 for why
they are so.
"""

from api.apply.configuration import Apply, type_of
from api.apply.conflict import ApplyConflict
from api.apply.entries import decode
from api.apply.managers import (
    Change,
    Scope,
    Writer,
    change,
    foreign,
    keep_times,
    owned_after_create,
    owned_after_update,
)

__all__ = [
    "Apply",
    "ApplyConflict",
    "Change",
    "Scope",
    "Writer",
    "change",
    "decode",
    "foreign",
    "keep_times",
    "owned_after_create",
    "owned_after_update",
    "type_of",
]

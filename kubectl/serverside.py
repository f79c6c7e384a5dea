"""Server-side apply as seen from here: one request, and the way over from applying on this side.

What was applied from this side belongs to another manager, as an update, and would conflict with oneself. So that part
is made over to the applying manager first. The annotation from which a client-side apply tells what was removed is kept
up to date under a manager of its own for as long as it is there: whoever goes back to the old way loses nothing.
"""

from __future__ import annotations

from typing import Any

from api.errors import Conflict
from kubectl.commands.create.files import LAST_APPLIED, with_last_applied
from kubectl.discovery import Resource
from kubectl.manifest import Document
from kubectl.server import MANAGER, Server

CLIENT_SIDE = f"{MANAGER}-client-side-apply"
_FORMER = (CLIENT_SIDE, "kubectl-client-side-apply")
ADVICE = """
Somebody else set these fields to another value. Do one of these:
* take them out of the file, and leave them to their present manager;
* write their present value into the file, and own them together;
* apply with --force-conflicts, and take them over.
"""

Object = dict[str, Any]
Query = dict[str, Any]


class Applier:
    """Applies documents as one manager. `query` are the parameters of each request."""

    def __init__(self, server: Server, manager: str, query: Query) -> None:
        self._server = server
        self._manager = manager or MANAGER
        self._query = {**query, "fieldManager": self._manager}

    def apply(self, resource: Resource, namespace: str | None, document: Document) -> Object:
        """The object after the apply. Raises Conflict with advice, StatusError."""
        place = (resource, namespace, document.name)
        try:
            result = self._send(place, document.obj, self._query)
            if self._query.get("dryRun") or not self._settle(place, document, result):
                return result
        except Conflict as error:
            live = None if self._query.get("dryRun") else self._server.get(*place)
            if live is None or not self._settle(place, document, live):
                raise _advised(error) from error
        try:
            return self._send(place, document.obj, self._query)
        except Conflict as error:
            raise _advised(error) from error

    def _send(self, place: tuple[Resource, str | None, str], obj: Object, query: Query) -> Object:
        return self._server.patch(*place, obj, "apply", query)

    def _settle(self, place: tuple[Resource, str | None, str], document: Document, live: Object) -> bool:
        """Keep the annotation up to date, and make over what was applied from here; whether there was any of that."""
        annotations = live["metadata"].get("annotations") or {}
        text = with_last_applied(document.obj)["metadata"]["annotations"][LAST_APPLIED]
        if LAST_APPLIED in annotations and annotations[LAST_APPLIED] != text:
            meta = {"name": document.name, "annotations": {LAST_APPLIED: text}}
            note = {key: document.obj[key] for key in ("apiVersion", "kind")} | {"metadata": meta}
            query = {"fieldManager": f"{self._manager}-last-applied", "force": True}
            live = self._send(place, note, query)
        patch = made_over(live, self._manager)
        if patch:
            self._server.patch(*place, patch, "json")
        return bool(patch)


def made_over(live: Object, manager: str) -> list[Object]:
    """The JSON patch that gives `manager` what was applied from this side; nothing if there is no such thing."""
    from api.apply.fieldset import union

    entries = live["metadata"].get("managedFields") or []
    former = [each for each in entries if _is(each, "Update", _FORMER)]
    if not former:
        return []
    mine = [each for each in entries if _is(each, "Apply", (manager,))]
    fields: Object = {}
    for each in (*mine, *former):
        fields = union(fields, each["fieldsV1"])
    note = f"f:{LAST_APPLIED}"
    annotations = (fields.get("f:metadata") or {}).get("f:annotations") or {}
    if note in annotations:
        left = {key: item for key, item in annotations.items() if key != note}
        fields = {**fields, "f:metadata": {**fields["f:metadata"], "f:annotations": left}}
    merged = {**(mine or former)[0], "manager": manager, "operation": "Apply", "fieldsV1": fields}
    others = [each for each in entries if each not in former and each not in mine]
    version = live["metadata"]["resourceVersion"]
    return [
        {"op": "replace", "path": "/metadata/managedFields", "value": [merged, *others]},
        {"op": "replace", "path": "/metadata/resourceVersion", "value": version},
    ]


def _is(entry: Object, operation: str, managers: tuple[str, ...]) -> bool:
    return entry.get("manager") in managers and entry.get("operation") == operation and not entry.get("subresource")


def _advised(error: Conflict) -> Conflict:
    error.message += ADVICE.rstrip()
    return error

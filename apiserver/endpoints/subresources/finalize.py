"""finalize: the namespace controller's word that a namespace is empty."""

from __future__ import annotations

import orjson

from api.errors import Invalid
from apiserver.endpoints.answer import answer_object
from apiserver.endpoints.body import check_name, read_object
from apiserver.endpoints.http import Request
from apiserver.endpoints.options import write_options
from apiserver.endpoints.paths import Target
from apiserver.endpoints.state import Resource, State
from apiserver.endpoints.subresources.base import Subresource
from apiserver.endpoints.write import Author, Part, Update
from apiserver.registry.kind import Object
from apiserver.registry.metadata import validate_finalizer


async def _update(state: State, request: Request, resource: Resource, target: Target) -> None:
    options = write_options(request.query, "UpdateOptions")
    given = await read_object(request, resource.kind, options.field_validation)
    check_name(given, target.name)
    finalizers = (given.get("spec") or {}).get("finalizers") or []
    wrong = [error for i, name in enumerate(finalizers) for error in validate_finalizer(name, f"spec.finalizers[{i}]")]
    if wrong:
        raise Invalid("Namespace", "", target.name, wrong)
    version, uid = given["metadata"].get("resourceVersion"), given["metadata"].get("uid")

    def finalize(old: Object) -> Object:
        new: Object = orjson.loads(orjson.dumps(old))
        new.setdefault("spec", {})["finalizers"] = finalizers
        if not finalizers:
            del new["spec"]["finalizers"]
        new["metadata"].update({key: value for key, value in (("resourceVersion", version), ("uid", uid)) if value})
        return new

    author = Author.of(request, options)
    change = Update(state, resource, "", target.name, author, finalize, Part.SERVER, "finalize", retry=not version)
    await answer_object(request, resource, await change.run())


FINALIZE = Subresource("finalize", {"update": _update})

"""One engine for the schema of every kind, built-in or custom: checking, pruning, describing.

    deployment = load("io.k8s.api.apps.v1.Deployment")
    if problem := type_error(deployment, "Deployment", "v1", obj): raise BadRequest(problem)
    unknown = unknown_fields(deployment, obj)
    prune(deployment, obj)

The facts are data (`data/`, made by `generate.py`); the common case, an object that is exactly right, costs one pass of
compiled checks.
"""

from api.schema.check import exact
from api.schema.describe import Prose, describe, field_descriptions
from api.schema.node import ANY, Form, Schema, UnknownDefinition, definition, load
from api.schema.prune import prune
from api.schema.structural import Structural, structural
from api.schema.wording import type_error, unknown_fields

__all__ = [
    "ANY",
    "Form",
    "Prose",
    "Schema",
    "Structural",
    "UnknownDefinition",
    "definition",
    "describe",
    "exact",
    "field_descriptions",
    "load",
    "prune",
    "structural",
    "type_error",
    "unknown_fields",
]

"""The Go names of types, which the decoder's messages show: `int32`, `v1.PodSpec`, `[]v1.Container`."""

from __future__ import annotations

from api.schema.node import Form, Schema

_SCALARS = {
    Form.STRING: "string",
    Form.BOOL: "bool",
    Form.INT32: "int32",
    Form.INT64: "int64",
    Form.FLOAT: "float64",
    Form.BYTES: "[]uint8",
    Form.TIME: "v1.Time",
    Form.MICRO_TIME: "v1.MicroTime",
    Form.QUANTITY: "resource.Quantity",
    Form.INT_OR_STRING: "intstr.IntOrString",
    Form.OBJECT: "map[string]interface {}",
    Form.ANY: "interface {}",
}


def type_name(schema: Schema) -> str:
    """The type's name with its package, as Go prints it."""
    if schema.name and schema.form in (Form.STRUCT, Form.OBJECT):
        package, _, name = schema.name.rpartition(".")
        return f"{package.rpartition('.')[2]}.{name}"
    if schema.form is Form.LIST:
        return f"[]{type_name(schema.items)}"
    if schema.form is Form.MAP:
        values = schema.values
        return "v1.ResourceList" if values.form is Form.QUANTITY else f"map[string]{type_name(values)}"
    return _SCALARS.get(schema.form, "map[string]interface {}")

"""Schema data, one file for each API group and version; made by `api.schema.generate`."""

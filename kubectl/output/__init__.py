"""How answers look: tables, YAML and JSON, JSONPath templates, custom columns."""

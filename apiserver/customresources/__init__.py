"""Custom kinds: from a CustomResourceDefinition to a resource that is served, on every API server, without a restart.

`loop` follows the definitions and does what `status` (which names they get) and `kinds` (what is served) say.
"""

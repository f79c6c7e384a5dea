"""Checks and changes of a write that reach beyond the object itself."""

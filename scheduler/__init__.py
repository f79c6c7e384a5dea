"""Gives each pod that has no node the best node it fits on. See `decide` for the core and `framework` for its parts."""

"""Hypothesis on a busy machine: no deadline for a single example, and no database left behind in the tree."""

from hypothesis import settings

settings.register_profile("pytheas", deadline=None, database=None, max_examples=80)
settings.load_profile("pytheas")

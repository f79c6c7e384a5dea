"""What an object is: its types, schema, metadata, selectors, quantities, patches and wire codecs.

This layer does no I/O and knows no process. Everything above it imports it; it imports nothing of Pytheas.
"""

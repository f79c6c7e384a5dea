"""`pytheas top …`: what nodes and pods use."""

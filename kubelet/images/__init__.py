"""Images on a node: names, pulls and their credentials, what is present, and which of it may go when the disk is
full."""

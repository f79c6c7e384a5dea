"""One pod's worker: it looks at what is, decides one step, takes it, looks again; and what it lets run beside that."""

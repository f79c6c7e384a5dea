"""Real parts for the tests: processes, certificates, an engine, hosts. Nothing here pretends to be something else."""

"""HTTP: what a request asks for, the verbs, and the answers."""

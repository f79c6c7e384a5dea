"""The node agent: it makes Docker run the pods that the API server has bound to this node, and reports what became of
them."""

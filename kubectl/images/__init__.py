"""Images on their way to nodes, without a registry: archives read, cut down to what a node lacks, and sent."""

"""Which pods are behind a Service: kept as EndpointSlices, and as the older Endpoints."""

"""Admission policies: rules of the cluster's own in CEL, bound to requests and parameters by binding objects."""

"""Services that are asked about a request before it is done: MutatingWebhookConfiguration and its validating twin."""

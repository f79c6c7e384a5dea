"""Other servers that this one asks: webhooks, and those that serve a part of the API."""

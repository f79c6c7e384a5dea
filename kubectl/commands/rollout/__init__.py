"""`pytheas rollout`: what happens to a Deployment over time."""

"""Continuous batching: which tokens of which requests go into a model's next forward pass. Pure."""

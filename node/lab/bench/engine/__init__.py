"""Measures of the model engine, and of its parts alone."""

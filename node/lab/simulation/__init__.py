"""Whole moots on virtual time, from one seed: the production cores under faults and liars, watched at every step."""

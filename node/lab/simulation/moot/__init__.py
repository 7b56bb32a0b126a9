"""Whole moots: machines with disks, clocks, models and liars that run the production cores, and what must hold."""

"""Measures a moot of five real processes on this machine: protocol time, memory, and how often it is right."""

"""Measures a moot of five real processes on this machine: protocol time and memory."""

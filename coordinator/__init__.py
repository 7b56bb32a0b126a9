"""How peers decide together. Pure: no I/O, no clock, no threads, no global randomness."""

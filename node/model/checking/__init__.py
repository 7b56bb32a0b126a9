"""Whether a model file can be relied on: loaded, read, run and asked in a process of its own, step by step."""

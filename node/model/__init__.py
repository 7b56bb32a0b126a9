"""The local model of a node: what an engine is, and llama.cpp in a process of its own."""

"""One GGUF model in llama.cpp: loading, tokens, forward passes, sampling. The only importer of llama_cpp.

Nothing here decides what is evaluated when, nothing is safe to use from two threads, and a bug in llama.cpp ends the
process: whoever must go on keeps it in a process of its own.
"""

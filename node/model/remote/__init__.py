"""A model that another server runs: any that speaks OpenAI's HTTP interface, as Ollama, vLLM and llama.cpp's do."""

"""The local model as the node sees it: a process of its own, asked many things at once."""

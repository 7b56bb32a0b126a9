"""How the node and its model's process speak to each other, over the process's stdin and stdout."""

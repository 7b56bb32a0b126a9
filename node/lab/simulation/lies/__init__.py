"""Members that do not follow the protocol: each kind is one way of lying, with no more than its own keys."""

"""Named streams of chance from one seed: a draw more in one of them leaves all the others as they were."""

import random
from hashlib import sha256


def stream(seed: int, name: str) -> random.Random:
    """The generator of this name. Equal arguments give equal draws, on every machine."""
    return random.Random(sha256(f"{seed}/{name}".encode()).digest())

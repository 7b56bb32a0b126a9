"""Remembers which signatures were found good, since the same records come back in every agenda."""

from coordinator.signed import Digest, Signed, Verifier

VERIFIED_MAX = 20_000
"""Some megabytes. A thousand open questions of five members hold about half of it."""


class Verified:
    """Checks a signature once; the oldest results are forgotten first."""

    def __init__(self, verifier: Verifier) -> None:
        self._verifier = verifier
        self._good: dict[tuple[Digest, bytes], None] = {}

    def __call__(self, record: Signed) -> bool:
        key = record.digest(), record.signature
        if key in self._good:
            return True
        if not self._verifier.verify(record):
            return False
        if len(self._good) >= VERIFIED_MAX:
            del self._good[next(iter(self._good))]
        self._good[key] = None
        return True

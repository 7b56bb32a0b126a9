"""Refuses envelopes that came before: a window over each sender's sequence numbers.

Source: the anti-replay window of IPsec (RFC 4303, section 3.4.3).
"""

WINDOW = 64
"""How far an envelope may be overtaken by later ones of its sender; a sender's two lanes overtake each other."""


class ReplayWindow:
    """One sender's highest epoch, its highest sequence there, and which of the 64 up to it have come."""

    def __init__(self) -> None:
        self._epoch = -1
        self._highest = -1
        self._seen = 0
        """Bit i: sequence `highest - i` has come."""

    def is_outdated(self, epoch: int) -> bool:
        """Whether a process of this sender that started later was heard before."""
        return epoch < self._epoch

    def is_fresh(self, epoch: int, sequence: int) -> bool:
        """Whether this envelope has certainly not come before. Changes nothing."""
        if epoch != self._epoch:
            return epoch > self._epoch
        behind = self._highest - sequence
        return behind < 0 or (behind < WINDOW and not self._seen >> behind & 1)

    def note(self, epoch: int, sequence: int) -> None:
        """Remember an envelope that is fresh, once its signature was checked. A higher epoch starts anew."""
        assert self.is_fresh(epoch, sequence), "an envelope is noted once"
        if epoch > self._epoch:
            self._epoch, self._highest, self._seen = epoch, sequence, 1
        elif sequence > self._highest:
            self._seen = (self._seen << (sequence - self._highest) if sequence - self._highest < WINDOW else 0) | 1
            self._seen &= (1 << WINDOW) - 1
            self._highest = sequence
        else:
            self._seen |= 1 << (self._highest - sequence)

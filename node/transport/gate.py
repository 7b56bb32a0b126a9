"""Decides which envelopes get in. The cheap checks come first, and a forged envelope changes nothing that lasts."""

from collections.abc import Callable
from dataclasses import dataclass

from coordinator.signed import Digest, NodeId, Verifier
from node.membership.messages import SyncRequest
from node.transport.rate import Rate, RateLimiter
from node.transport.rejections import Reason, Rejected
from node.transport.replay import ReplayWindow
from node.transport.wire import Message, Opened, open_envelope, unpack

EPOCH_AHEAD_MS_MAX = 5 * 60 * 1_000
"""How far a sender's clock may be ahead of ours. An epoch from the far future would shut out its later ones."""
SENDERS_MAX = 2_048
"""Remembered senders. A moot's roster is smaller; beyond it, those that are no longer admitted are forgotten."""
RATE_RECEIVED = Rate(envelopes_per_s=500, bytes_per_s=8 * 1024 * 1024)
"""From one sender: twice what a member of this version sends at most."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """An envelope of an admitted sender, checked; its records are not."""

    sender: NodeId
    messages: tuple[Message, ...]


class _Sender:
    """What is remembered of one admitted sender."""

    def __init__(self, rate: Rate) -> None:
        self.limiter = RateLimiter(rate)
        self.to_us = ReplayWindow()
        self.to_anyone = ReplayWindow()
        """Envelopes without a recipient have a sequence of their own: their sender does not know whom they reach."""


class Gate:
    """Checks envelopes for one node in one moot. After a restart it remembers nobody: the records inside must bear
    being heard twice, as they must when two members pass them on."""

    def __init__(
        self,
        *,
        moot: Digest,
        node: NodeId,
        verifier: Verifier,
        is_admitted: Callable[[NodeId], bool],
        rate: Rate = RATE_RECEIVED,
    ) -> None:
        self._moot = moot
        self._node = node
        self._verifier = verifier
        self._is_admitted = is_admitted
        self._rate = rate
        self._senders: dict[NodeId, _Sender] = {}

    @property
    def senders(self) -> int:
        """How many senders are remembered."""
        return len(self._senders)

    def admit(self, data: bytes, now_ms: int, wall_ms: int) -> Admitted | Rejected:
        """Check one envelope: size, form, moot, recipient, sender, rate, replay, signature, messages.

        Args:
            data: the envelope's bytes as received.
            now_ms: this node's monotonic clock, for the rate.
            wall_ms: wall clock, for the bound on epochs.
        """
        envelope = open_envelope(data)
        if isinstance(envelope, Rejected):
            return envelope
        refused = self._refuse_address(envelope)
        if refused is not None:
            return refused
        sender = self._sender(envelope.sender)
        wait_ms = sender.limiter.take(len(data), now_ms)
        if wait_ms > 0:
            return Rejected(Reason.RATE_LIMITED, f"too much at once; retry in {wait_ms} ms")
        if envelope.epoch > wall_ms + EPOCH_AHEAD_MS_MAX:
            ahead_s = (envelope.epoch - wall_ms) // 1_000
            return Rejected(
                Reason.FUTURE_EPOCH, f"the epoch is {ahead_s} s ahead of the clock here; set the clocks right"
            )
        window = sender.to_anyone if envelope.recipient is None else sender.to_us
        if window.is_outdated(envelope.epoch):
            return Rejected(
                Reason.OUTDATED,
                f"epoch {envelope.epoch} is not this sender's newest: another process with its key runs",
            )
        if not window.is_fresh(envelope.epoch, envelope.sequence):
            return Rejected(
                Reason.REPLAYED, f"epoch {envelope.epoch}, sequence {envelope.sequence} came before or is too old"
            )
        if not self._verifier.verify(envelope.record()):
            return Rejected(Reason.BAD_SIGNATURE, "the signature is not the sender's over this envelope")
        window.note(envelope.epoch, envelope.sequence)
        return _messages(envelope)

    def _refuse_address(self, envelope: Opened) -> Rejected | None:
        """Refuse what is of another moot, for another node, or from nobody we know."""
        if envelope.moot != self._moot:
            return Rejected(
                Reason.WRONG_MOOT, f"this node sits in moot {self._moot.hex()[:8]}, not {envelope.moot.hex()[:8]}"
            )
        if envelope.recipient is not None and envelope.recipient != self._node:
            return Rejected(
                Reason.WRONG_RECIPIENT, f"this is node {self._node.hex()[:8]}, not {envelope.recipient.hex()[:8]}"
            )
        if envelope.sender == self._node:
            return Rejected(Reason.WRONG_RECIPIENT, "this is the sender itself; its own address is among its seeds")
        if not self._is_admitted(envelope.sender):
            return Rejected(Reason.NOT_ADMITTED, f"node {envelope.sender.hex()[:8]} is no member of this moot")
        return None

    def _sender(self, node: NodeId) -> _Sender:
        sender = self._senders.get(node)
        if sender is None:
            if len(self._senders) >= SENDERS_MAX:
                self._senders = {known: kept for known, kept in self._senders.items() if self._is_admitted(known)}
            sender = self._senders[node] = _Sender(self._rate)
        return sender


def _messages(envelope: Opened) -> Admitted | Rejected:
    messages = unpack(envelope.payload)
    if isinstance(messages, Rejected):
        return messages
    if envelope.recipient is None and not all(isinstance(message, SyncRequest) for message in messages):
        return Rejected(Reason.MALFORMED, "only a sync request may come without a recipient")
    return Admitted(envelope.sender, messages)

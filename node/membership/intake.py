"""The gate for signed items: the signature is checked before anything is parsed, and each item only once."""

from collections.abc import Callable
from dataclasses import dataclass, field

from coordinator.encoding import EncodingError
from coordinator.signed import Kind, NodeId, Signed, Verifier
from node.membership.allowance import Allowance
from node.membership.records import AckBody, MemberRecord, Suspicion, decode_record, decode_suspicion
from node.membership.revocations import RevocationList
from node.membership.settings import MembershipSettings

SEEN_MAX = 1_024
"""Checked items remembered: gossip brings each one many times, and a signature costs a hundred microseconds. The
records and accusations that the table holds are known without."""

_DECODERS: dict[Kind, Callable[[bytes], MemberRecord | Suspicion | RevocationList]] = {
    Kind.MEMBER: decode_record,
    Kind.SUSPICION: decode_suspicion,
    Kind.REVOCATION: RevocationList.decode,
}


@dataclass(frozen=True, slots=True)
class Rejected:
    """Why an item of a peer is not accepted."""

    reason: str


@dataclass(slots=True)
class Intake:
    verifier: Verifier
    settings: MembershipSettings
    allowance: Allowance = field(default_factory=Allowance)
    _seen: dict[Signed, MemberRecord | Suspicion | RevocationList] = field(default_factory=dict)
    """Oldest first. Holds only what was well signed, so that forgeries cannot push anything out."""

    def open(
        self, item: Signed, sender: NodeId, now_ms: int, wall_ms: int
    ) -> MemberRecord | Suspicion | RevocationList | Rejected:
        """Check and parse a member record, an accusation or a list of revoked keys.

        Args:
            item: as it came.
            sender: who brought it, and whose allowance a check of the signature costs.
            now_ms: this node's monotonic clock.
            wall_ms: its wall clock.
        """
        value = self._seen.get(item)
        if value is None:
            decode = _DECODERS.get(item.kind)
            if decode is None:
                return Rejected("wrong_kind")
            if not self.allowance.take(sender, now_ms):
                return Rejected("too_many")
            if not self.verifier.verify(item):
                return Rejected("bad_signature")
            try:
                value = decode(item.body)
            except EncodingError:
                return Rejected("malformed")
            if len(self._seen) >= SEEN_MAX:
                del self._seen[next(iter(self._seen))]
            self._seen[item] = value
        if isinstance(value, RevocationList):
            return value  # It has no age: a key that was revoked stays so.
        latest_ms = wall_ms + self.settings.clock_skew_ms
        if value.epoch > latest_ms or value.issued_ms > latest_ms:
            return Rejected("from_the_future")
        lifetime_s = value.ttl_s if isinstance(value, MemberRecord) else self.settings.record_ttl_s
        lifetime_ms = 1_000 * min(lifetime_s, self.settings.record_ttl_s)
        if value.issued_ms + lifetime_ms + self.settings.clock_skew_ms < wall_ms:
            return Rejected("expired")
        return value

    def open_ack(self, ack: Signed, sender: NodeId, now_ms: int) -> AckBody | Rejected:
        """Check and parse the signed answer to a probe."""
        if ack.kind is not Kind.ACK:
            return Rejected("wrong_kind")
        if not self.allowance.take(sender, now_ms):
            return Rejected("too_many")
        if not self.verifier.verify(ack):
            return Rejected("bad_signature")
        try:
            return AckBody.decode(ack.body)
        except EncodingError:
            return Rejected("malformed")

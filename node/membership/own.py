"""This node's own record, renewed with a higher incarnation each time it has something new to say."""

from dataclasses import dataclass

from coordinator.signed import Kind, NodeId, Signed, Signer
from node.membership.events import MemberView, Status
from node.membership.records import Key, MemberRecord, Suspicion, decode_record
from node.membership.settings import MembershipSettings

REISSUES_PER_LIFETIME = 4


def first_record(
    signer: Signer, settings: MembershipSettings, *, epoch: int, address: str, meta: bytes, wall_ms: int
) -> Signed:
    """What a core says first in this epoch, when it is made at this wall-clock time.

    Raises:
        RecordError: address or metadata do not fit in a record.
    """
    record = MemberRecord(epoch, 0, Status.ALIVE, address, meta, max(0, wall_ms), settings.record_ttl_s)
    return signer.sign(Kind.MEMBER, record.encode())


@dataclass(slots=True)
class OwnRecord:
    signer: Signer
    record: MemberRecord
    signed: Signed
    since_ms: int
    reissue_due_ms: int

    @classmethod
    def begin(cls, signer: Signer, signed: Signed, now_ms: int) -> "OwnRecord":
        record = decode_record(signed.body)
        return cls(signer, record, signed, now_ms, now_ms + 1_000 * record.ttl_s // REISSUES_PER_LIFETIME)

    @property
    def node(self) -> NodeId:
        return self.signer.node

    @property
    def key(self) -> Key:
        return self.record.key

    @property
    def left(self) -> bool:
        return self.record.status is Status.LEFT

    def renew(self, now_ms: int, wall_ms: int, *, meta: bytes | None = None, status: Status = Status.ALIVE) -> None:
        """Sign a newer record. Raises RecordError where the metadata is too large; then nothing has changed."""
        assert not self.left, "a goodbye is the last word of an epoch"
        old = self.record
        self.record = MemberRecord(
            old.epoch,
            old.incarnation + 1,
            status,
            old.address,
            old.meta if meta is None else meta,
            max(0, wall_ms),
            old.ttl_s,
        )
        self.signed = self.signer.sign(Kind.MEMBER, self.record.encode())
        self.reissue_due_ms = now_ms + 1_000 * old.ttl_s // REISSUES_PER_LIFETIME

    def accuse(self, target: NodeId, key: Key, wall_ms: int) -> Signed:
        return self.signer.sign(Kind.SUSPICION, Suspicion(target, *key, max(0, wall_ms)).encode())

    def view(self, now_ms: int) -> MemberView:
        record = self.record
        return MemberView(
            self.node,
            record.status,
            record.epoch,
            record.incarnation,
            record.address,
            record.meta,
            True,
            True,
            self.since_ms,
            now_ms,
            0,
        )

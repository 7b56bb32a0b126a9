"""Keys for tests that need signatures which nobody else can make, fast, and a moot of members that have them."""

from dataclasses import dataclass
from hashlib import sha256

from coordinator.ledger.genesis import Genesis
from coordinator.ledger.roster import Member
from coordinator.signed import Digest, Kind, NodeId, Signed, signing_bytes


@dataclass(frozen=True)
class FakeSigner:
    """Signs with a secret that only its owner and the checker hold: nobody in a test can forge it."""

    node: NodeId
    moot: Digest

    def sign(self, kind: Kind, body: bytes) -> Signed:
        return Signed(kind, self.node, body, _tag(self.moot, kind, self.node, body))


@dataclass(frozen=True)
class FakeVerifier:
    moot: Digest

    def verify(self, record: Signed) -> bool:
        return record.signature == _tag(self.moot, record.kind, record.author, record.body)


def member(number: int) -> Member:
    return Member(sha256(f"n{number}".encode()).digest(), f"n{number}", f"org{number}", 1, f"127.0.0.1:{7000 + number}")


def members(count: int) -> list[Member]:
    """Named n0, n1, ..."""
    return [member(number) for number in range(count)]


def found(count: int, *, threshold: int | None = None, turnout: int | None = None, **rules: int | str) -> Genesis:
    return Genesis.found("test", 1_000, members(count), threshold=threshold, turnout=turnout, **rules)


def _tag(moot: Digest, kind: Kind, author: NodeId, body: bytes) -> bytes:
    return sha256(b"secret of " + author + signing_bytes(kind, moot, author, body)).digest() * 2

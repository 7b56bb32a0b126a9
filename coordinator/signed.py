"""What outlives a connection: bytes signed by their author, relayed by anyone, checked by everyone."""

from dataclasses import dataclass, field
from enum import Enum
from hashlib import sha256
from typing import Protocol, TypeAlias

from coordinator.encoding import Reader, Writer

NodeId: TypeAlias = bytes
"""A node is its Ed25519 public key: 32 bytes."""
Digest: TypeAlias = bytes
"""SHA-256: 32 bytes."""

NODE_ID_SIZE = 32
SIGNATURE_SIZE = 64
BODY_SIZE_MAX = 16 * 1024
"""Of one signed record. The largest is a question with sixteen long options, well below."""


class Kind(Enum):
    """What a signature is for. Its tag is part of the signed bytes, so no record can pass for one of another kind."""

    QUESTION = "question"
    PROPOSAL = "proposal"
    PREFERENCE = "preference"
    STATEMENT = "statement"
    CHANGE = "change"
    APPROVAL = "approval"
    MEMBER = "member"
    SUSPICION = "suspicion"
    ACK = "ack"
    REVOCATION = "revocation"
    ENVELOPE = "envelope"


@dataclass(frozen=True, slots=True)
class Signed:
    """One signed record. The body is carried as signed and parsed only after the signature was checked."""

    kind: Kind
    author: NodeId
    body: bytes
    signature: bytes
    _digest: Digest = field(default=b"", init=False, repr=False, compare=False)
    """Made when it is first asked for, since everything that is held is asked for its name again and again."""

    def digest(self) -> Digest:
        """Name this record. Kind, author and body without the signature: one content has one name."""
        if not self._digest:
            content = Writer().text(self.kind.value).blob(self.author).blob(self.body).done()
            object.__setattr__(self, "_digest", sha256(content).digest())
        return self._digest


def signing_bytes(kind: Kind, moot: Digest, author: NodeId, body: bytes) -> bytes:
    """The exact bytes under a signature: tag, moot, author, body."""
    return Writer().text(f"moot/v1/{kind.value}").blob(moot).blob(author).blob(body).done()


class Signer(Protocol):
    """This node's key, bound to one moot."""

    @property
    def node(self) -> NodeId: ...

    def sign(self, kind: Kind, body: bytes) -> Signed: ...


class Verifier(Protocol):
    """Checks signatures of one moot. The same records come back in every agenda: it had better remember good ones."""

    def verify(self, record: Signed) -> bool: ...


def write_signed(writer: Writer, record: Signed) -> None:
    """Author, body, signature. The kind is not written: the place where a record stands says it."""
    writer.blob(record.author).blob(record.body).blob(record.signature)


def read_signed(reader: Reader, kind: Kind) -> Signed:
    return Signed(kind, reader.blob(NODE_ID_SIZE), reader.blob(BODY_SIZE_MAX), reader.blob(SIGNATURE_SIZE))

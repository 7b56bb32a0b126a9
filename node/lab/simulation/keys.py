"""Signatures of simulated members: quick tags that only a holder of the signer can make, or real Ed25519."""

from dataclasses import dataclass
from hashlib import blake2b, sha256

from coordinator.signed import Digest, Kind, NodeId, Signed, Signer, Verifier, signing_bytes
from node.identity import Keypair
from node.signing import MootSigner, MootVerifier


class Keyring:
    """The keys of numbered nodes, the same for the same seed."""

    def __init__(self, seed: int, count: int, *, ed25519: bool) -> None:
        self._secrets = [sha256(f"key/{seed}/{number}".encode()).digest() for number in range(count)]
        self._pairs = [Keypair.from_seed(secret) for secret in self._secrets] if ed25519 else []
        if ed25519:
            self.ids = tuple(pair.node for pair in self._pairs)
        else:
            self.ids = tuple(sha256(b"public" + secret).digest() for secret in self._secrets)

    def signer(self, number: int, moot: Digest) -> Signer:
        if self._pairs:
            return MootSigner(self._pairs[number], moot)
        return TagSigner(self.ids[number], moot, self._secrets[number])

    def verifier(self, moot: Digest) -> Verifier:
        """Checks everybody's. One for all nodes saves checking a record that many hear once for each."""
        if self._pairs:
            return MootVerifier(moot)
        return TagVerifier(moot, dict(zip(self.ids, self._secrets, strict=True)))


@dataclass(frozen=True, slots=True)
class TagSigner:
    """Its tags are made with a secret that no liar is given."""

    node: NodeId
    moot: Digest
    secret: bytes

    def sign(self, kind: Kind, body: bytes) -> Signed:
        return Signed(kind, self.node, body, _tag(self.secret, self.moot, kind, self.node, body))


class TagVerifier:
    def __init__(self, moot: Digest, secrets: dict[NodeId, bytes]) -> None:
        self._moot = moot
        self._secrets = secrets
        self._good: dict[bytes, Signed] = {}

    def verify(self, record: Signed) -> bool:
        if self._good.get(record.signature) == record:
            return True
        secret = self._secrets.get(record.author)
        if secret is None or record.signature != _tag(secret, self._moot, record.kind, record.author, record.body):
            return False
        if record.kind is not Kind.ACK:  # It comes once, and many come.
            self._good[record.signature] = record
        return True


def _tag(secret: bytes, moot: Digest, kind: Kind, author: NodeId, body: bytes) -> bytes:
    return blake2b(signing_bytes(kind, moot, author, body), key=secret, digest_size=64).digest()

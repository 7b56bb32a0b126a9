"""Signatures for tests: a keyed hash. Only a signer and the verifier hold a key, so nobody can forge."""

import hmac
from hashlib import sha256

from coordinator.signed import Kind, NodeId, Signed, signing_bytes

MOOT = sha256(b"a moot for tests").digest()


class TestSigner:
    __test__ = False

    def __init__(self, node: NodeId, secret: bytes) -> None:
        self._node, self._secret = node, secret

    @property
    def node(self) -> NodeId:
        return self._node

    def sign(self, kind: Kind, body: bytes) -> Signed:
        return Signed(kind, self._node, body, _mac(self._secret, kind, self._node, body))


class TestVerifier:
    """Knows every node's key; `signer` hands a node its own."""

    __test__ = False

    def __init__(self) -> None:
        self.checked = 0

    def signer(self, node: NodeId) -> TestSigner:
        return TestSigner(node, _secret(node))

    def verify(self, record: Signed) -> bool:
        self.checked += 1
        return hmac.compare_digest(
            record.signature, _mac(_secret(record.author), record.kind, record.author, record.body)
        )


def _secret(node: NodeId) -> bytes:
    return sha256(b"secret of " + node).digest()


def _mac(secret: bytes, kind: Kind, node: NodeId, body: bytes) -> bytes:
    return hmac.digest(secret, signing_bytes(kind, MOOT, node, body), "sha256")

"""Signs and checks records of one moot with Ed25519 keys."""

from collections import OrderedDict

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from coordinator.signed import NODE_ID_SIZE, SIGNATURE_SIZE, Digest, Kind, NodeId, Signed, signing_bytes
from node.identity import Keypair

VERIFIED_MAX = 16_384
"""Remembered records: those of some hundred open questions in a moot of dozens, at about 250 bytes each."""


class MootSigner:
    """This node's key, bound to one moot."""

    def __init__(self, keypair: Keypair, moot: Digest) -> None:
        self._keypair = keypair
        self._moot = moot

    @property
    def node(self) -> NodeId:
        return self._keypair.node

    def sign(self, kind: Kind, body: bytes) -> Signed:
        signature = self._keypair.sign(signing_bytes(kind, self._moot, self.node, body))
        return Signed(kind, self.node, body, signature)


class MootVerifier:
    """Checks signatures of one moot. A record that many relay is verified once.

    What is a valid signature is OpenSSL's word (RFC 8032 without cofactor): a scalar that is not reduced is refused, so
    nobody can turn a signature into a second one. Public keys of small order are not refused: who puts one on a roster
    lets everybody sign for that member, as if it had published its private key.
    """

    def __init__(self, moot: Digest, verified_max: int = VERIFIED_MAX) -> None:
        assert verified_max > 0
        self._moot = moot
        self._verified_max = verified_max
        self._verified: OrderedDict[bytes, None] = OrderedDict()

    def verify(self, record: Signed) -> bool:
        if len(record.author) != NODE_ID_SIZE or len(record.signature) != SIGNATURE_SIZE:
            return False
        if record.kind is Kind.ENVELOPE:
            return self._check(record)  # It comes once; remembering it would only drive out what comes again.
        # The signature is part of the name, or a wrong one would pass after the right one was seen.
        name = record.digest() + record.signature
        if name in self._verified:
            self._verified.move_to_end(name)
            return True
        if not self._check(record):
            return False
        self._verified[name] = None
        if len(self._verified) > self._verified_max:
            self._verified.popitem(last=False)
        return True

    def _check(self, record: Signed) -> bool:
        try:
            Ed25519PublicKey.from_public_bytes(record.author).verify(
                record.signature, signing_bytes(record.kind, self._moot, record.author, record.body)
            )
        except InvalidSignature:
            return False
        return True

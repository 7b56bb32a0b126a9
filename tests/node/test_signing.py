"""Signatures stand for one author, kind, moot and body, and are checked once."""

from dataclasses import replace

import pytest

from coordinator.signed import Kind, Signed
from node.identity import Keypair
from node.signing import MootSigner, MootVerifier

MOOT, OTHER_MOOT = b"m" * 32, b"o" * 32
ALICE, BOB = Keypair.generate(), Keypair.generate()
RECORD = MootSigner(ALICE, MOOT).sign(Kind.STATEMENT, b"body")
ORDER = 2**252 + 27742317777372353535851937790883648493
"""Of the base point of edwards25519 (RFC 8032, section 5.1)."""


def with_larger_scalar(signature: bytes) -> bytes:
    """The same signature with the group's order added to its scalar, which a careless verifier takes too."""
    scalar = int.from_bytes(signature[32:], "little") + ORDER
    return signature[:32] + scalar.to_bytes(32, "little")


def test_a_signature_is_its_authors() -> None:
    assert RECORD.author == ALICE.node
    assert MootVerifier(MOOT).verify(RECORD)


@pytest.mark.parametrize(
    "forged",
    [
        pytest.param(replace(RECORD, author=BOB.node), id="another author"),
        pytest.param(replace(RECORD, kind=Kind.PREFERENCE), id="another kind"),
        pytest.param(replace(RECORD, body=b"Body"), id="another body"),
        pytest.param(replace(RECORD, signature=bytes(64)), id="no signature"),
        pytest.param(replace(RECORD, signature=RECORD.signature[:63]), id="a short signature"),
        pytest.param(
            replace(RECORD, signature=with_larger_scalar(RECORD.signature)), id="a scalar that is not reduced"
        ),
        pytest.param(replace(RECORD, author=b""), id="no author"),
        pytest.param(replace(RECORD, author=b"\xff" * 32), id="an author that is no point"),
        pytest.param(MootSigner(ALICE, OTHER_MOOT).sign(Kind.STATEMENT, b"body"), id="another moot"),
    ],
)
@pytest.mark.parametrize("seen_before", [False, True])
def test_nothing_else_passes(forged: Signed, seen_before: bool) -> None:
    """Above all not by way of what was remembered of the right one."""
    verifier = MootVerifier(MOOT)
    if seen_before:
        assert verifier.verify(RECORD)
    assert not verifier.verify(forged)
    assert not verifier.verify(forged)


def test_a_record_is_checked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Statements come from every member that passes them on; checking each time would take most of a node's time."""
    checked: list[Signed] = []
    verifier = MootVerifier(MOOT, verified_max=2)
    real = verifier._check

    def counting(record: Signed) -> bool:
        checked.append(record)
        return real(record)

    monkeypatch.setattr(verifier, "_check", counting)
    signer = MootSigner(ALICE, MOOT)
    a, b, c = (signer.sign(Kind.STATEMENT, body) for body in (b"a", b"b", b"c"))
    for record in (a, b, a, b, a, c, a):
        assert verifier.verify(record)
    assert checked == [a, b, c], "the least recently used one gave way"
    assert verifier.verify(b)
    assert checked == [a, b, c, b]


def test_envelopes_are_not_remembered() -> None:
    """Each comes once, and they would drive out the records that come again."""
    verifier = MootVerifier(MOOT, verified_max=1)
    assert verifier.verify(RECORD)
    assert verifier.verify(MootSigner(BOB, MOOT).sign(Kind.ENVELOPE, b"payload"))
    assert list(verifier._verified) == [RECORD.digest() + RECORD.signature]

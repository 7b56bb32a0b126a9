"""The gate refuses with the right reason, in the right order, and nothing forged leaves a trace in it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coordinator.messages import Want
from coordinator.signed import Kind, Signed
from node.membership.messages import SyncRequest
from node.signing import MootVerifier
from node.transport.gate import EPOCH_AHEAD_MS_MAX, SENDERS_MAX, Admitted, Gate
from node.transport.rate import Rate
from node.transport.rejections import Reason, Rejected
from node.transport.wire import pack
from tests.node.transport.messages import RECORD
from tests.node.transport.peers import ALICE, BOB, MALLORY, MEMBERS, MOOT, gate_of, sealed

PAYLOAD = pack([Want(())])
JOIN = pack([SyncRequest(RECORD)])
WALL_MS = 1_700_000_000_000


def reason(outcome: Admitted | Rejected) -> Reason | None:
    return outcome.reason if isinstance(outcome, Rejected) else None


def with_wrong_signature(data: bytes) -> bytes:
    """The signature is an envelope's last field."""
    return data[:-1] + bytes([data[-1] ^ 1])


def test_a_good_envelope_is_admitted() -> None:
    assert gate_of(BOB).admit(sealed(PAYLOAD), 0, WALL_MS) == Admitted(ALICE.node, (Want(()),))


@pytest.mark.parametrize(
    ("data", "why"),
    [
        pytest.param(b"", Reason.MALFORMED, id="empty"),
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", Reason.MALFORMED, id="garbage"),
        pytest.param(sealed(PAYLOAD)[:-10], Reason.MALFORMED, id="cut short"),
        pytest.param(bytes(3 << 20), Reason.OVERSIZED, id="oversized"),
        pytest.param(sealed(PAYLOAD, moot=b"o" * 32), Reason.WRONG_MOOT, id="another moot"),
        pytest.param(sealed(PAYLOAD, to=MALLORY.node), Reason.WRONG_RECIPIENT, id="another recipient"),
        pytest.param(sealed(PAYLOAD, by=BOB), Reason.WRONG_RECIPIENT, id="from this node itself"),
        pytest.param(sealed(JOIN, by=BOB, to=None), Reason.WRONG_RECIPIENT, id="from this node to whoever listens"),
        pytest.param(sealed(PAYLOAD, by=MALLORY), Reason.NOT_ADMITTED, id="no member"),
        pytest.param(sealed(JOIN, by=MALLORY, to=None), Reason.NOT_ADMITTED, id="no member, to whoever listens"),
        pytest.param(with_wrong_signature(sealed(PAYLOAD)), Reason.BAD_SIGNATURE, id="wrongly signed"),
        pytest.param(sealed(PAYLOAD, epoch=WALL_MS + EPOCH_AHEAD_MS_MAX), None, id="a clock just not too far ahead"),
        pytest.param(sealed(PAYLOAD, epoch=WALL_MS + EPOCH_AHEAD_MS_MAX + 1), Reason.FUTURE_EPOCH, id="too far ahead"),
        pytest.param(sealed(b"\xff"), Reason.MALFORMED, id="a member's garbage"),
        pytest.param(sealed(JOIN, to=None), None, id="a sync request to whoever listens"),
        pytest.param(sealed(PAYLOAD, to=None), Reason.MALFORMED, id="anything else to whoever listens"),
        pytest.param(sealed(JOIN + PAYLOAD, to=None), Reason.MALFORMED, id="with something else beside it"),
    ],
)
def test_reasons(data: bytes, why: Reason | None) -> None:
    assert reason(gate_of(BOB).admit(data, 0, WALL_MS)) is why


def test_replays_are_refused_until_a_restart() -> None:
    gate = gate_of(BOB)
    for epoch, sequence, why in [
        (1, 1, None),
        (1, 1, Reason.REPLAYED),
        (1, 100, None),
        (1, 99, None),
        (1, 36, Reason.REPLAYED),
        (2, 1, None),
        (1, 101, Reason.OUTDATED),
    ]:
        assert reason(gate.admit(sealed(PAYLOAD, epoch=epoch, sequence=sequence), 0, WALL_MS)) is why


def test_envelopes_to_whoever_listens_count_apart() -> None:
    """Their sender counts them over all the addresses it tries, and must not thereby outrun what it sends to us."""
    gate = gate_of(BOB)
    assert reason(gate.admit(sealed(JOIN, to=None, sequence=1_000), 0, WALL_MS)) is None
    assert reason(gate.admit(sealed(PAYLOAD, sequence=1), 0, WALL_MS)) is None
    assert reason(gate.admit(sealed(JOIN, to=None, sequence=1_000), 0, WALL_MS)) is Reason.REPLAYED


def test_a_forged_envelope_does_not_silence_its_alleged_sender() -> None:
    """Otherwise one forged envelope with the highest sequence would shut a member out for good."""
    gate = gate_of(BOB)
    for forged in (sealed(PAYLOAD, epoch=WALL_MS, sequence=2**64 - 1), sealed(PAYLOAD, epoch=1, sequence=1)):
        assert reason(gate.admit(with_wrong_signature(forged), 0, WALL_MS)) is Reason.BAD_SIGNATURE
    assert reason(gate.admit(sealed(PAYLOAD, epoch=1, sequence=1), 0, WALL_MS)) is None


def test_a_payload_that_is_refused_is_refused_once() -> None:
    """Its signature was good: the same bytes again are a replay."""
    gate = gate_of(BOB)
    assert reason(gate.admit(sealed(b"\xff"), 0, WALL_MS)) is Reason.MALFORMED
    assert reason(gate.admit(sealed(b"\xff"), 0, WALL_MS)) is Reason.REPLAYED


def test_a_flood_is_told_how_long_to_wait() -> None:
    """And what was refused for its rate is no replay when it comes again."""
    gate = gate_of(BOB, Rate(envelopes_per_s=10, bytes_per_s=1_000_000, burst_s=1))
    outcomes = [gate.admit(sealed(PAYLOAD, sequence=sequence), 0, WALL_MS) for sequence in range(11)]
    assert [reason(outcome) for outcome in outcomes] == [None] * 10 + [Reason.RATE_LIMITED]
    assert str(outcomes[10]) == "rate_limited: too much at once; retry in 100 ms"
    assert reason(gate.admit(sealed(PAYLOAD, sequence=10), 100, WALL_MS)) is None


class CountingVerifier:
    """A real one that counts."""

    def __init__(self) -> None:
        self.calls = 0
        self._real = MootVerifier(MOOT)

    def verify(self, record: Signed) -> bool:
        assert record.kind is Kind.ENVELOPE
        self.calls += 1
        return self._real.verify(record)


def test_cheap_checks_come_first() -> None:
    """A signature takes longer to check than all else together: only a fresh envelope of a member may cost that."""
    verifier = CountingVerifier()
    rate = Rate(envelopes_per_s=4, bytes_per_s=1_000_000, burst_s=1)
    gate = Gate(moot=MOOT, node=BOB.node, verifier=verifier, is_admitted=lambda node: node in MEMBERS, rate=rate)
    gate.admit(sealed(PAYLOAD), 0, WALL_MS)
    assert verifier.calls == 1
    wrong = [
        bytes(3 << 20),
        b"garbage",
        sealed(PAYLOAD, moot=b"o" * 32),
        sealed(PAYLOAD, to=MALLORY.node),
        sealed(PAYLOAD, by=MALLORY),
        sealed(PAYLOAD),
        sealed(PAYLOAD, epoch=2 * WALL_MS),
        sealed(PAYLOAD),
        sealed(PAYLOAD, sequence=2),
    ]
    reasons = [reason(gate.admit(data, 0, WALL_MS)) for data in wrong]
    assert reasons == [
        Reason.OVERSIZED,
        Reason.MALFORMED,
        Reason.WRONG_MOOT,
        Reason.WRONG_RECIPIENT,
        Reason.NOT_ADMITTED,
        Reason.REPLAYED,
        Reason.FUTURE_EPOCH,
        Reason.REPLAYED,
        Reason.RATE_LIMITED,
    ]
    assert verifier.calls == 1


def test_only_admitted_senders_are_remembered() -> None:
    """Anybody can make up keys; each must not cost memory. Members that left give way to new ones."""
    admitted: set[bytes] = set()
    gate = Gate(moot=MOOT, node=BOB.node, verifier=MootVerifier(MOOT), is_admitted=lambda node: node in admitted)
    gate.admit(sealed(PAYLOAD, by=MALLORY), 0, WALL_MS)
    assert gate.senders == 0
    for number in range(SENDERS_MAX):
        gate._sender(number.to_bytes(32, "big"))
    assert gate.senders == SENDERS_MAX
    admitted.add(ALICE.node)
    assert reason(gate.admit(sealed(PAYLOAD), 0, WALL_MS)) is None
    assert gate.senders == 1
    assert reason(gate.admit(sealed(PAYLOAD), 0, WALL_MS)) is Reason.REPLAYED


@settings(max_examples=300)
@given(st.data())
def test_no_changed_envelope_is_admitted(data: st.DataObject) -> None:
    """Every byte of an envelope is signed, or says where it belongs."""
    good = bytearray(sealed(JOIN, to=data.draw(st.sampled_from([BOB.node, None]))))
    place = data.draw(st.integers(0, len(good) - 1))
    good[place] ^= data.draw(st.integers(1, 255))
    assert isinstance(gate_of(BOB).admit(bytes(good), 0, WALL_MS), Rejected)

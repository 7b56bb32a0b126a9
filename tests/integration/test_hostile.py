"""What anybody can do at a node's real port, and a member that went bad: refused, and the moot goes on deciding."""

import random
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from coordinator.ledger.genesis import Genesis
from coordinator.signed import NodeId
from node import identity
from node.founding import read_genesis
from node.home import Home
from node.identity import Keypair
from node.signing import MootSigner
from node.transport.wire import ENVELOPE_SIZE_MAX, PAYLOAD_SIZE_MAX, pack, seal
from tests.integration.moots import LocalMoot, resident_kib
from tests.node.transport.messages import EXAMPLES
from tests.node.transport.peers import deliver

VICTIM, TRAITOR, OTHER = "scribe", "sage", "sorter"
GROWTH_KIB_MAX = 64 * 1024
PAYLOAD = pack(EXAMPLES)
"""One message of each kind, whole and made up."""


class Attacker:
    """Holds the key of a member, which does not run meanwhile."""

    def __init__(self, five: LocalMoot, connections: ExitStack) -> None:
        self._connections = connections
        self.genesis: Genesis = read_genesis(five.genesis_file)
        seats = {member.name: member for member in self.genesis.members}
        self.victim, self.other = seats[VICTIM].node, seats[OTHER].node
        self.port = int(seats[VICTIM].address.rpartition(":")[2])
        self.keypair = identity.load(Home(five.home(TRAITOR)).identity)
        self.epoch = time.time_ns() // 1_000_000
        self.sequence = 0

    def sealed(
        self,
        payload: bytes = PAYLOAD,
        *,
        by: Keypair | None = None,
        to: NodeId | None = None,
        moot: bytes | None = None,
        later_ms: int = 0,
    ) -> bytes:
        self.sequence += 1
        moot = moot or self.genesis.moot_id
        signer = MootSigner(by or self.keypair, moot)
        return seal(signer, moot, to or self.victim, self.epoch + later_ms, self.sequence, payload)

    def connect(self) -> socket.socket:
        """A connection that stays open until the victim has shown that it still decides."""
        return self._connections.enter_context(socket.create_connection(("127.0.0.1", self.port), timeout=5))


@pytest.fixture
def attacker(five: LocalMoot) -> Iterator[Attacker]:
    """While the test holds its connections open and after it, the victim decides and has not grown."""
    five.end(TRAITOR)
    before = resident_kib(five.pids[VICTIM])
    with ExitStack() as connections:
        yield Attacker(five, connections)
        names = [name for name in five.names if name != TRAITOR]
        decision = five.decided(five.ask(VICTIM, "What is 2 plus 9?"), names)
        assert decision["answered"] == len(names)
        assert resident_kib(five.pids[VICTIM]) - before < GROWTH_KIB_MAX


async def test_each_wrong_envelope_is_refused_with_its_status(attacker: Attacker) -> None:
    good = attacker.sealed()
    unsigned = bytearray(attacker.sealed())
    unsigned[-1] ^= 1  # The signature is the last field.
    cases = [
        ("garbage", b"garbage", "INVALID_ARGUMENT"),
        ("oversized", bytes(ENVELOPE_SIZE_MAX + 1), "OUT_OF_RANGE"),
        ("far oversized", bytes(8 * ENVELOPE_SIZE_MAX), "RESOURCE_EXHAUSTED"),
        ("truncated", good[:-1], "INVALID_ARGUMENT"),
        ("good", good, "OK"),
        ("replayed", good, "ALREADY_EXISTS"),
        ("wrongly signed", bytes(unsigned), "UNAUTHENTICATED"),
        ("of a stranger", attacker.sealed(by=Keypair.generate()), "PERMISSION_DENIED"),
        ("for another node", attacker.sealed(to=attacker.other), "FAILED_PRECONDITION"),
        ("of another moot", attacker.sealed(moot=b"m" * 32), "NOT_FOUND"),
        ("from the future", attacker.sealed(later_ms=3_600_000), "FAILED_PRECONDITION"),
        ("garbage that a member signed", attacker.sealed(b"\xff" * 100), "INVALID_ARGUMENT"),
        ("good again", attacker.sealed(), "OK"),
    ]
    statuses = [(what, (await deliver(attacker.port, data))[0].name) for what, data, _ in cases]
    assert statuses == [(what, status) for what, _, status in cases]
    status, _ = await deliver(attacker.port, attacker.sealed(), timeout_s=None)
    assert status.name == "INVALID_ARGUMENT", "a call without a deadline"


async def test_a_flood_is_slowed_down_and_costs_no_memory(attacker: Attacker) -> None:
    big = b"\0" * (PAYLOAD_SIZE_MAX - 8)
    statuses = [(await deliver(attacker.port, attacker.sealed(big)))[0].name for _ in range(100)]
    assert "RESOURCE_EXHAUSTED" in statuses
    assert set(statuses) == {"INVALID_ARGUMENT", "RESOURCE_EXHAUSTED"}


def test_noise_and_silence_at_the_port(attacker: Attacker) -> None:
    chance = random.Random(3)
    openings = [
        b"",
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # TLS
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\xff" * 64,
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        chance.randbytes(5_000),
    ]
    for number in range(240):
        attacker.connect().sendall(openings[number % len(openings)])

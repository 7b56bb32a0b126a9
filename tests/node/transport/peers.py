"""Real peers on this machine: keys, gates, servers and outboxes, and waiting for what they do."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import grpc

from coordinator.signed import NodeId
from node.identity import Keypair
from node.signing import MootSigner, MootVerifier
from node.transport.client import Outbox
from node.transport.gate import RATE_RECEIVED, Gate
from node.transport.lane import PATH
from node.transport.rate import Rate
from node.transport.server import PeerServer
from node.transport.wire import Message, seal

MOOT = b"m" * 32
ALICE, BOB, MALLORY = Keypair.generate(), Keypair.generate(), Keypair.generate()
MEMBERS = {ALICE.node, BOB.node}


def now_ms() -> int:
    return time.monotonic_ns() // 1_000_000


def wall_ms() -> int:
    return time.time_ns() // 1_000_000


def sealed(
    payload: bytes,
    *,
    by: Keypair = ALICE,
    moot: bytes = MOOT,
    to: NodeId | None = BOB.node,
    epoch: int = 1,
    sequence: int = 1,
) -> bytes:
    """An envelope, by default from Alice to Bob."""
    return seal(MootSigner(by, moot), moot, to, epoch, sequence, payload)


def gate_of(node: Keypair, rate: Rate = RATE_RECEIVED) -> Gate:
    return Gate(
        moot=MOOT, node=node.node, verifier=MootVerifier(MOOT), is_admitted=lambda peer: peer in MEMBERS, rate=rate
    )


@dataclass(slots=True)
class Received:
    """What a server handed on."""

    messages: list[Message] = field(default_factory=list)
    batches: list[tuple[NodeId, int, int]] = field(default_factory=list)
    """Sender, number of messages, bytes."""

    def take(self, sender: NodeId, messages: tuple[Message, ...], size: int) -> None:
        self.messages.extend(messages)
        self.batches.append((sender, len(messages), size))


@asynccontextmanager
async def serving(
    received: Received, *, node: Keypair = BOB, port: int = 0, rate: Rate = RATE_RECEIVED
) -> AsyncIterator[tuple[PeerServer, int]]:
    server = PeerServer(gate_of(node, rate), on_batch=received.take, now_ms=now_ms, wall_ms=wall_ms)
    bound = await server.start("127.0.0.1", port)
    try:
        yield server, bound
    finally:
        await server.stop(0)


@dataclass(slots=True)
class Failures:
    """What an outbox reported."""

    seen: list[tuple[NodeId | None, str, bool, str]] = field(default_factory=list)

    def note(self, to: NodeId | None, address: str, local: bool, reason: str) -> None:
        self.seen.append((to, address, local, reason))


@asynccontextmanager
async def sending(failures: Failures, *, node: Keypair = ALICE, **settings: object) -> AsyncIterator[Outbox]:
    outbox = Outbox(
        signer=MootSigner(node, MOOT),
        moot=MOOT,
        epoch=wall_ms(),
        on_failed=failures.note,
        **settings,  # type: ignore[arg-type]
    )
    try:
        yield outbox
    finally:
        await outbox.close()


async def deliver(port: int, data: bytes, timeout_s: float | None = 5.0) -> tuple[grpc.StatusCode, str]:
    """Call a peer as anybody can, and give status and text."""
    async with grpc.aio.insecure_channel(
        f"127.0.0.1:{port}", options=[("grpc.max_send_message_length", -1)]
    ) as channel:
        method: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(PATH)
        call = method(data, timeout=timeout_s)
        return await call.code(), await call.details() or ""


async def until(condition: Callable[[], bool], timeout_s: float = 10.0) -> None:
    """Wait for something that other tasks bring about.

    Raises:
        TimeoutError: they did not.
    """
    async with asyncio.timeout(timeout_s):
        while not condition():  # noqa: ASYNC110 - what is awaited are real peers, which set no event of ours
            await asyncio.sleep(0.005)

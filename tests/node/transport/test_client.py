"""Outboxes over real connections: in order, in bounds, and back soon after a peer is back."""

import asyncio
import socket
import time
from itertools import count

import grpc
import pytest

from coordinator.encoding import EncodingError
from coordinator.messages import AGENDA_SIZE_MAX, Agendas, Entries, LedgerEntry, Records, Want, WantEntries
from coordinator.signed import BODY_SIZE_MAX, Kind, Signed
from node.membership.messages import Nack, SyncRequest
from node.transport.lane import WAITING_MAX
from node.transport.rate import Rate
from node.transport.wire import Message, Opened, open_envelope
from tests.node.transport.messages import DIGEST, NODE, RECORD
from tests.node.transport.peers import ALICE, BOB, MALLORY, Failures, Received, sending, serving, until

RECONNECT_S_MAX = 2.0


def address(port: int) -> str:
    return f"127.0.0.1:{port}"


async def test_what_is_sent_arrives_in_order_and_in_few_envelopes() -> None:
    """Everything that waits goes along: one signature and one call for all of it."""
    received, failures = Received(), Failures()
    messages = [WantEntries(number) for number in range(2_000)]
    async with serving(received) as (server, port), sending(failures) as outbox:
        for message in messages:
            outbox.send(BOB.node, address(port), message)
        await until(lambda: len(received.messages) == len(messages))
        assert received.messages == messages
        assert server.envelopes == 2, "1024 messages are the most that one takes"
        await until(lambda: outbox.envelopes == 2)
        assert (outbox.messages, outbox.bytes, outbox.failed) == (2_000, server.bytes, 0)
    assert failures.seen == []


async def test_batches_end_at_the_limit() -> None:
    """Three halves of a megabyte do not fit into one envelope; what follows shares the second."""
    received = Received()
    halves = [Agendas((bytes([number]) * (AGENDA_SIZE_MAX - 100),)) for number in range(3)]
    async with serving(received) as (server, port), sending(Failures()) as outbox:
        sent: list[Message] = [*halves, WantEntries(1)]
        for message in sent:
            outbox.send(BOB.node, address(port), message)
        await until(lambda: len(received.messages) == 4)
        assert received.messages == sent
        assert [messages for _, messages, _ in received.batches] == [2, 2]
        assert server.envelopes == 2


async def test_one_message_larger_than_an_envelope_arrives_in_parts() -> None:
    received = Received()
    records = tuple(Signed(Kind.STATEMENT, NODE, bytes([n]) * BODY_SIZE_MAX, b"s" * 64) for n in range(100))
    async with serving(received) as (_, port), sending(Failures()) as outbox:
        outbox.send(BOB.node, address(port), Records(records))
        await until(lambda: len(received.batches) == 2)
        came = [message for message in received.messages if isinstance(message, Records)]
        assert tuple(record for message in came for record in message.records) == records


async def test_a_full_queue_gives_up_its_oldest() -> None:
    """A node that is behind needs the newest; and no peer can make another node's memory grow."""
    received, beyond = Received(), 100
    async with serving(received) as (_, port), sending(Failures()) as outbox:
        for number in range(WAITING_MAX + beyond):
            outbox.send(BOB.node, address(port), WantEntries(number))
        assert outbox.dropped == beyond
        await until(lambda: len(received.messages) == WAITING_MAX)
        assert received.messages == [WantEntries(number) for number in range(beyond, WAITING_MAX + beyond)]


async def test_a_full_queue_is_bounded_in_bytes_too() -> None:
    received, half = Received(), AGENDA_SIZE_MAX
    async with serving(received) as (_, port), sending(Failures()) as outbox:
        for number in range(20):
            outbox.send(BOB.node, address(port), Agendas((bytes([number]) * half,)))
        assert outbox.dropped == 5, "fifteen, with their few bytes around, make less than 8 MiB"
        await until(lambda: len(received.messages) == 15)
        assert received.messages[0] == Agendas((bytes([5]) * half,))


async def test_delivery_resumes_when_a_peer_is_back(port: int) -> None:
    """gRPC would let up to two minutes pass by itself, in which the peer is held dead."""
    first, second, failures, numbers = Received(), Received(), Failures(), count()
    async with sending(failures) as outbox:
        async with serving(first, port=port):
            outbox.send(BOB.node, address(port), WantEntries(next(numbers)))
            await until(lambda: len(first.messages) == 1)
        down_until = time.monotonic() + 5.5  # long enough for a back-off without a cap to have grown
        while time.monotonic() < down_until:
            outbox.send(BOB.node, address(port), WantEntries(next(numbers)))
            await asyncio.sleep(0.05)
        assert {(to, where, local) for to, where, local, _ in failures.seen} == {(BOB.node, address(port), False)}
        assert outbox.failed == len(failures.seen) > 10, "each one is reported at once while the peer is down"
        assert failures.seen[-1][3].startswith("UNAVAILABLE: ")
        async with serving(second, port=port):
            back_at = time.monotonic()
            while not second.messages:
                outbox.send(BOB.node, address(port), WantEntries(next(numbers)))
                await asyncio.sleep(0.02)
                assert time.monotonic() - back_at < RECONNECT_S_MAX
        sent = [message.slot for message in second.messages if isinstance(message, WantEntries)]
        assert sent == sorted(set(sent))


async def test_two_peers_talk_both_ways() -> None:
    to_alice, to_bob = Received(), Received()
    async with (
        serving(to_alice, node=ALICE) as (_, alice_port),
        serving(to_bob, node=BOB) as (_, bob_port),
        sending(Failures(), node=ALICE) as alice,
        sending(Failures(), node=BOB) as bob,
    ):
        alice.send(None, address(bob_port), SyncRequest(RECORD))
        await until(lambda: to_bob.messages == [SyncRequest(RECORD)])
        bob.send(ALICE.node, address(alice_port), WantEntries(1))
        alice.send(BOB.node, address(bob_port), WantEntries(2))
        await until(lambda: len(to_bob.messages) == 2 and len(to_alice.messages) == 1)
        assert to_alice.batches[0][0] == BOB.node


async def test_a_refusal_is_reported_with_its_reason() -> None:
    failures = Failures()
    async with serving(Received()) as (_, port), sending(failures, node=MALLORY) as outbox:
        outbox.send(BOB.node, address(port), WantEntries(1))
        outbox.send(None, address(port), SyncRequest(RECORD))
        await until(lambda: len(failures.seen) == 2)
        assert [(local, reason[:33]) for _, _, local, reason in failures.seen] == [
            (False, "PERMISSION_DENIED: not_admitted: "),
            (False, "PERMISSION_DENIED: not_admitted: "),
        ]
        assert {to for to, _, _, _ in failures.seen} == {BOB.node, None}


@pytest.mark.parametrize(
    ("where", "said"),
    [
        pytest.param("192.0.2.1:7001", "need TLS", id="another machine"),
        pytest.param("unix:/tmp/socket:1", "is no address", id="no address"),
    ],
)
async def test_an_address_that_may_not_be_called_is_our_failure(where: str, said: str) -> None:
    """The address may come from a peer's record; nothing was sent, so it says nothing about the peer's health."""
    failures = Failures()
    async with sending(failures) as outbox:
        outbox.send(BOB.node, where, WantEntries(1))
        assert failures.seen == [], "not from within send: the caller is in the middle of something"
        await until(lambda: len(failures.seen) == 1)
        to, reported, local, reason = failures.seen[0]
        assert (to, reported, local) == (BOB.node, where, True)
        assert said in reason
        assert outbox.peers_open == 0


async def test_what_fits_into_no_envelope_is_our_failure() -> None:
    failures = Failures()
    records = tuple(Signed(Kind.STATEMENT, NODE, bytes(BODY_SIZE_MAX), b"s" * 64) for _ in range(100))
    async with sending(failures) as outbox:
        outbox.send(BOB.node, "127.0.0.1:7001", Entries(1, (LedgerEntry(b"", records),)))
        await until(lambda: len(failures.seen) == 1)
        assert failures.seen[0][2:] == (True, "Entries: one item is larger than an envelope")


async def test_what_a_peer_would_refuse_is_not_queued() -> None:
    """It would take the messages beside it with it."""
    async with sending(Failures()) as outbox:
        with pytest.raises(EncodingError):
            outbox.send(BOB.node, "127.0.0.1:7001", Want((b"short",)))


class SlowPeer:
    """A peer that takes large envelopes only once it is let."""

    def __init__(self) -> None:
        self.let = asyncio.Event()
        self.calls = 0
        self.opened: list[Opened] = []

    async def deliver(self, data: bytes, _: "grpc.aio.ServicerContext[bytes, bytes]") -> bytes:
        self.calls += 1
        if len(data) > 10_000:
            await self.let.wait()
        opened = open_envelope(data)
        assert isinstance(opened, Opened)
        self.opened.append(opened)
        return b""

    async def start(self) -> tuple[grpc.aio.Server, int]:
        server = grpc.aio.server()
        handler: grpc.RpcMethodHandler[bytes, bytes] = grpc.unary_unary_rpc_method_handler(self.deliver)
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("moot.v1.Peer", {"Deliver": handler}),))
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        return server, port


async def test_a_slow_reply_to_data_does_not_delay_membership() -> None:
    """Otherwise a member that is sent a megabyte of agendas is held dead. And one lane has one call in work."""
    peer = SlowPeer()
    server, port = await peer.start()
    async with sending(Failures()) as outbox:
        outbox.send(BOB.node, address(port), Agendas((bytes(20_000),)))
        await until(lambda: peer.calls == 1)
        outbox.send(BOB.node, address(port), WantEntries(1))
        for number in range(3):
            outbox.send(BOB.node, address(port), Nack(number, NODE))
        await until(lambda: outbox.envelopes == 1)
        assert peer.calls == 2, "the three nacks together; the other message waits behind the agenda"
        peer.let.set()
        await until(lambda: outbox.envelopes == 3)
        assert len({(opened.epoch, opened.sequence) for opened in peer.opened}) == 3
    await server.stop(0)


async def test_every_call_has_a_deadline() -> None:
    """A peer that takes a call and never answers must not hold the lane for ever."""
    peer, failures = SlowPeer(), Failures()
    server, port = await peer.start()
    async with sending(failures, timeout_s=0.1) as outbox:
        outbox.send(BOB.node, address(port), Agendas((bytes(20_000),)))
        await until(lambda: len(failures.seen) == 1)
        assert failures.seen[0][2] is False
        assert failures.seen[0][3].startswith("DEADLINE_EXCEEDED")
    peer.let.set()
    await server.stop(0)


async def test_a_host_that_says_nothing_is_given_up() -> None:
    """A process that is stopped still has its connections accepted by its system."""
    failures = Failures()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        async with sending(failures, control_timeout_s=0.2) as outbox:
            outbox.send(BOB.node, address(silent.getsockname()[1]), Nack(1, NODE))
            await until(lambda: len(failures.seen) == 1)
            assert failures.seen[0][3].startswith("DEADLINE_EXCEEDED"), "the control lane's, not the other one's"


async def test_each_lane_has_a_connection_of_its_own() -> None:
    """On a shared one, a megabyte on a slow link would stand before the answer to a ping. gRPC shares by default."""
    loop = asyncio.get_running_loop()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        accepted: list[socket.socket] = []
        async with sending(Failures()) as outbox, asyncio.timeout(0.9):  # before a first attempt is given up
            outbox.send(BOB.node, address(listener.getsockname()[1]), WantEntries(1))
            outbox.send(BOB.node, address(listener.getsockname()[1]), Nack(1, NODE))
            for _ in range(2):
                accepted.append((await loop.sock_accept(listener))[0])
        for connection in accepted:
            connection.close()
        assert len(accepted) == 2


async def test_a_peer_that_moved_is_found_at_its_new_address() -> None:
    old, new = Received(), Received()
    async with (
        serving(old) as (_, old_port),
        serving(new) as (server, new_port),
        sending(Failures()) as outbox,
    ):
        outbox.send(BOB.node, address(old_port), WantEntries(1))
        await until(lambda: old.messages == [WantEntries(1)])
        outbox.send(BOB.node, address(new_port), WantEntries(2))
        await until(lambda: new.messages == [WantEntries(2)])
        assert outbox.peers_open == 1
        assert sum(server.rejected.values()) == 0


async def test_what_waited_for_the_old_address_is_counted() -> None:
    received = Received()
    async with serving(received) as (_, port), sending(Failures()) as outbox:
        outbox.send(BOB.node, "127.0.0.1:1", WantEntries(1))
        outbox.send(BOB.node, address(port), WantEntries(2))
        await until(lambda: received.messages == [WantEntries(2)])
        assert outbox.dropped == 1


async def test_unused_connections_are_closed_and_opened_again() -> None:
    """Members come and go for months; what is left of the gone must not add up."""
    received = Received()
    async with serving(received) as (server, port), sending(Failures(), idle_s_max=0.1) as outbox:
        outbox.send(BOB.node, address(port), WantEntries(1))
        assert outbox.peers_open == 1
        await until(lambda: outbox.peers_open == 0)
        outbox.send(BOB.node, address(port), WantEntries(2))
        await until(lambda: len(received.messages) == 2)
        assert sum(server.rejected.values()) == 0, "the sequence goes on"


async def test_a_node_keeps_to_the_rate_and_is_not_refused() -> None:
    """What comes too fast waits and goes along in larger batches, instead of being refused at the other end."""
    received, failures, began = Received(), Failures(), time.monotonic()
    async with (
        serving(received, rate=Rate(40, 1_000_000, burst_s=2)) as (server, port),
        sending(failures, rate=Rate(20, 1_000_000, burst_s=1)) as outbox,
    ):
        for number in range(26):
            outbox.send(BOB.node, address(port), WantEntries(number))
            await until(lambda number=number: len(received.messages) == number + 1)  # type: ignore[misc]
        assert time.monotonic() - began > 5 / 20, "twenty at once, and then one each 50 ms"
        assert sum(server.rejected.values()) == 0
    assert failures.seen == []


async def test_a_proxy_for_browsing_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many offices set one for all programs; it would be asked to connect to its own loopback address."""
    received = Received()
    for name in ("http_proxy", "https_proxy", "grpc_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    for name in ("no_proxy", "no_grpc_proxy"):
        monkeypatch.delenv(name, raising=False)
    async with serving(received) as (_, port), sending(Failures()) as outbox:
        outbox.send(BOB.node, address(port), WantEntries(1))
        await until(lambda: received.messages == [WantEntries(1)])


async def test_closing_leaves_nothing_behind() -> None:
    """Neither a task nor a call: the loop may end right after."""
    peer, failures = SlowPeer(), Failures()
    server, port = await peer.start()
    before = asyncio.all_tasks()
    async with sending(failures) as outbox:
        outbox.send(BOB.node, address(port), Agendas((bytes(20_000),)))
        outbox.send(BOB.node, address(port), Nack(1, NODE))
        outbox.send(ALICE.node, "127.0.0.1:1", Want((DIGEST,)))
        await until(lambda: peer.calls == 2)
        outbox.send(BOB.node, address(port), Agendas((bytes(20_000),)))
        failures.seen.clear()
        await outbox.close()
        assert outbox.peers_open == 0
        outbox.send(BOB.node, address(port), Nack(2, NODE))
        await outbox.close()
    peer.let.set()
    await server.stop(0)
    assert asyncio.all_tasks() <= before
    assert failures.seen == []
    assert peer.calls == 2

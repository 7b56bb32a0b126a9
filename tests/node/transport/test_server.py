"""A peer that does wrong learns over real gRPC what was wrong, and the server stays as it was."""

import asyncio
import os
import socket
import subprocess
import sys

import grpc
import pytest

from coordinator.messages import Want
from node.errors import Exit
from node.membership.messages import SyncRequest
from node.transport.address import NotLoopback
from node.transport.lane import PATH
from node.transport.rate import Rate
from node.transport.rejections import Reason, Rejected
from node.transport.server import ListenFailed, PeerServer, PortInUse, status_of
from node.transport.wire import ENVELOPE_SIZE_MAX, pack
from tests.node.transport.messages import RECORD
from tests.node.transport.peers import (
    ALICE,
    BOB,
    MALLORY,
    Received,
    deliver,
    gate_of,
    now_ms,
    sealed,
    serving,
    wall_ms,
)

PAYLOAD = pack([Want(())])
GOOD, NEXT = sealed(PAYLOAD), sealed(PAYLOAD, sequence=2)


def idle_server() -> PeerServer:
    return PeerServer(gate_of(BOB), on_batch=Received().take, now_ms=now_ms, wall_ms=wall_ms)


async def test_a_good_envelope_is_handed_on_and_counted() -> None:
    received = Received()
    async with serving(received) as (server, port):
        assert await deliver(port, GOOD) == (grpc.StatusCode.OK, "")
        assert received.messages == [Want(())]
        assert received.batches == [(ALICE.node, 1, len(GOOD))]
        assert (server.envelopes, server.bytes) == (1, len(GOOD))
        assert sum(server.rejected.values()) == 0


@pytest.mark.parametrize(
    ("data", "status", "text"),
    [
        pytest.param(b"garbage", "INVALID_ARGUMENT", "malformed: not an envelope", id="garbage"),
        pytest.param(b"", "INVALID_ARGUMENT", "malformed: ", id="empty"),
        pytest.param(GOOD[:-1], "INVALID_ARGUMENT", "malformed: not an envelope", id="truncated"),
        pytest.param(sealed(b"\xff"), "INVALID_ARGUMENT", "malformed: not a batch", id="garbage that a member signed"),
        pytest.param(bytes(ENVELOPE_SIZE_MAX + 1), "OUT_OF_RANGE", "oversized: ", id="oversized"),
        pytest.param(bytes(2 * ENVELOPE_SIZE_MAX + 1), "RESOURCE_EXHAUSTED", "", id="so large that gRPC refuses it"),
        pytest.param(sealed(PAYLOAD, moot=b"o" * 32), "NOT_FOUND", "wrong_moot: ", id="wrong moot"),
        pytest.param(
            sealed(PAYLOAD, to=ALICE.node), "FAILED_PRECONDITION", "wrong_recipient: ", id="wrongly addressed"
        ),
        pytest.param(sealed(PAYLOAD, by=MALLORY), "PERMISSION_DENIED", "not_admitted: ", id="unknown sender"),
        pytest.param(GOOD[:-1] + bytes([GOOD[-1] ^ 1]), "UNAUTHENTICATED", "bad_signature: ", id="wrongly signed"),
        pytest.param(sealed(PAYLOAD, epoch=2**63), "FAILED_PRECONDITION", "future_epoch: ", id="from the future"),
    ],
)
async def test_each_refusal_has_its_status(data: bytes, status: str, text: str) -> None:
    """The operator at the other end sees the status and the text, and has to know what to mend."""
    received = Received()
    async with serving(received) as (server, port):
        code, details = await deliver(port, data)
        assert code.name == status
        assert details.startswith(text)
        assert received.messages == []
        if text:
            assert server.rejected[Reason(text.partition(":")[0])] == 1
        assert (await deliver(port, NEXT))[0] is grpc.StatusCode.OK, "a good one still gets in"
        assert server.envelopes == 1


async def test_replays_are_refused() -> None:
    received = Received()
    async with serving(received) as (server, port):
        await deliver(port, GOOD)
        code, details = await deliver(port, GOOD)
        assert code is grpc.StatusCode.ALREADY_EXISTS
        assert details.startswith("replayed: ")
        assert len(received.messages) == 1
        assert server.rejected[Reason.REPLAYED] == 1


async def test_floods_are_refused() -> None:
    async with serving(Received(), rate=Rate(envelopes_per_s=1, bytes_per_s=1_000_000, burst_s=1)) as (_, port):
        await deliver(port, GOOD)
        code, details = await deliver(port, NEXT)
        assert code is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert details.startswith("rate_limited: too much at once; retry in ")


async def test_a_call_without_a_deadline_is_refused() -> None:
    """It could hold its place for ever."""
    async with serving(Received()) as (server, port):
        code, details = await deliver(port, GOOD, timeout_s=None)
        assert code is grpc.StatusCode.INVALID_ARGUMENT
        assert details == "no_deadline: set a deadline on the call"
        assert server.rejected[Reason.NO_DEADLINE] == 1


async def test_whoever_listens_takes_a_sync_request() -> None:
    """The first word of a join: the seed's node id is not known yet."""
    received = Received()
    async with serving(received) as (_, port):
        join = SyncRequest(RECORD)
        assert (await deliver(port, sealed(pack([join]), to=None)))[0] is grpc.StatusCode.OK
        assert received.messages == [join]


async def test_other_methods_do_not_exist() -> None:
    async with (
        serving(Received()) as (_, port),
        grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel,
    ):
        other: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary("/moot.v1.Peer/Other")
        assert await other(b"", timeout=5).code() is grpc.StatusCode.UNIMPLEMENTED


def test_statuses_are_told_apart() -> None:
    """One status for two reasons only where both are mended in the same place, and the text tells which."""
    shared: dict[grpc.StatusCode, set[Reason]] = {}
    for reason in Reason:
        shared.setdefault(status_of(reason), set()).add(reason)
    assert [reasons for reasons in shared.values() if len(reasons) > 1] == [
        {Reason.MALFORMED, Reason.NO_DEADLINE},
        {Reason.WRONG_RECIPIENT, Reason.FUTURE_EPOCH},
    ]
    assert status_of(Reason.STOPPING) is grpc.StatusCode.UNAVAILABLE


async def test_a_port_in_use_is_refused() -> None:
    """gRPC would share the port, and each of two nodes would get some of the other's envelopes."""
    async with serving(Received()) as (_, port):
        with pytest.raises(PortInUse, match=f"another process listens on 127.0.0.1:{port}; choose another") as caught:
            await idle_server().start("127.0.0.1", port)
        assert caught.value.exit_code is Exit.PORT_IN_USE


async def test_a_port_that_is_not_grpcs_is_refused_too() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(PortInUse):
        await idle_server().start("127.0.0.1", other.getsockname()[1])


async def test_an_address_that_does_not_exist_says_so() -> None:
    """A busy port and a missing address are mended differently."""
    with socket.socket(socket.AF_INET6) as probe:
        try:
            probe.bind(("::1", 0))
        except OSError:
            with pytest.raises(ListenFailed, match="cannot listen on"):
                await idle_server().start("::1", 7001)
            return
    server = idle_server()
    port = await server.start("::1", 0)
    assert port > 0
    await server.stop(0)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org", ""])
async def test_only_this_machine_is_listened_to(host: str) -> None:
    with pytest.raises(NotLoopback, match="need TLS"):
        await idle_server().start(host, 0)


async def test_a_stopped_server_is_unavailable_and_its_port_is_free() -> None:
    received = Received()
    async with serving(received) as (server, port):
        await server.stop(0)
        code, _ = await deliver(port, GOOD)
        assert code is grpc.StatusCode.UNAVAILABLE
        async with serving(received, port=port) as (_, again):
            assert again == port
            assert (await deliver(port, GOOD))[0] is grpc.StatusCode.OK


async def test_a_server_that_stops_takes_nothing_more() -> None:
    """The node behind it is closing its store."""
    received = Received()
    async with serving(received) as (server, port), grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        call: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(PATH)
        await call(GOOD, timeout=5)
        stopping = asyncio.create_task(server.stop(5))
        await asyncio.sleep(0)
        late = call(NEXT, timeout=5)
        # gRPC answers by itself what it has not handed over: CANCELLED where a call crosses the closing of its queue.
        assert await late.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)
        await stopping
        assert server._outcome(NEXT, has_deadline=True) == Rejected(Reason.STOPPING, "this node is shutting down")
        assert len(received.messages) == 1


def test_grpc_does_not_write_past_our_log() -> None:
    """Its lines on standard error look like failures, and a port in use has already been told."""
    script = """
import asyncio, socket
from node.transport.server import PeerServer, PortInUse
async def main():
    with socket.create_server(("127.0.0.1", 0)) as other:
        try:
            await PeerServer(None, on_batch=None, now_ms=None, wall_ms=None).start(*other.getsockname())
        except PortInUse:
            print("in use")
asyncio.run(main())
"""
    paths = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    for verbosity, silent in ((None, True), ("ERROR", False)):
        environment = {name: value for name, value in os.environ.items() if name != "GRPC_VERBOSITY"} | paths
        if verbosity is not None:
            environment["GRPC_VERBOSITY"] = verbosity
        ran = subprocess.run(
            [sys.executable, "-c", script], env=environment, capture_output=True, text=True, timeout=60
        )
        assert ran.stdout == "in use\n", ran.stderr
        assert (ran.stderr == "") is silent, "unless who runs the node asked for it"


async def test_a_server_that_never_started_stops() -> None:
    await idle_server().stop(0)

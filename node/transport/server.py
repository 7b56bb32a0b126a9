"""Receives envelopes over gRPC, and answers each with a status that says what became of it."""

import errno
import socket
from collections.abc import Callable
from typing import assert_never

import grpc

from coordinator.signed import NodeId
from node.errors import Exit, NodeError
from node.transport.address import Address, check_host
from node.transport.gate import Admitted, Gate
from node.transport.rejections import Reason, Rejected
from node.transport.wire import ENVELOPE_SIZE_MAX, METHOD, SERVICE, Message

_OPTIONS = (
    ("grpc.so_reuseport", 0),  # or a second node would listen on the same port, and each would get half
    ("grpc.max_receive_message_length", 2 * ENVELOPE_SIZE_MAX),  # wider than ours, so that our own refusal is heard
    ("grpc.max_concurrent_streams", 16),  # on one connection; a peer uses one
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
)


class ListenFailed(NodeError):
    """The node cannot listen at its address."""

    exit_code = Exit.SETTINGS


class PortInUse(ListenFailed):
    """Another process listens there."""

    exit_code = Exit.PORT_IN_USE


def status_of(reason: Reason) -> grpc.StatusCode:
    """The gRPC status by which a refused peer learns the kind of reason; the text says which it is."""
    match reason:
        case Reason.MALFORMED | Reason.NO_DEADLINE:
            return grpc.StatusCode.INVALID_ARGUMENT
        case Reason.OVERSIZED:
            return grpc.StatusCode.OUT_OF_RANGE
        case Reason.WRONG_MOOT:
            return grpc.StatusCode.NOT_FOUND
        case Reason.WRONG_RECIPIENT | Reason.FUTURE_EPOCH:
            return grpc.StatusCode.FAILED_PRECONDITION
        case Reason.NOT_ADMITTED:
            return grpc.StatusCode.PERMISSION_DENIED
        case Reason.RATE_LIMITED:
            return grpc.StatusCode.RESOURCE_EXHAUSTED
        case Reason.OUTDATED:
            return grpc.StatusCode.ABORTED
        case Reason.REPLAYED:
            return grpc.StatusCode.ALREADY_EXISTS
        case Reason.BAD_SIGNATURE:
            return grpc.StatusCode.UNAUTHENTICATED
        case Reason.STOPPING:
            return grpc.StatusCode.UNAVAILABLE
        case _:
            assert_never(reason)


class PeerServer:
    """Listens for one node in one moot. Made and used inside the running event loop."""

    def __init__(
        self,
        gate: Gate,
        *,
        on_batch: Callable[[NodeId, tuple[Message, ...], int], None],
        now_ms: Callable[[], int],
        wall_ms: Callable[[], int],
    ) -> None:
        """
        Args:
            gate: which envelopes get in.
            on_batch: called on the loop with sender, messages, and the size of the envelope in bytes. Must not wait.
            now_ms: this node's monotonic clock.
            wall_ms: wall clock.
        """
        self._gate = gate
        self._on_batch = on_batch
        self._now_ms = now_ms
        self._wall_ms = wall_ms
        self._server: grpc.aio.Server | None = None
        self._stopping = False
        self.envelopes = 0
        """Let in, since the start."""
        self.bytes = 0
        """Of the envelopes let in."""
        self.rejected = dict.fromkeys(Reason, 0)

    async def start(self, host: str, port: int) -> int:
        """Listen, and give the port; a free one is chosen for port 0.

        Raises:
            NotLoopback: the host is not on this machine.
            PortInUse: another process listens there.
            ListenFailed: the system does not allow it.
        """
        check_host(host)
        address = Address(host, port)
        server = grpc.aio.server(options=_OPTIONS)
        # Without serializers the bytes reach the gate as they came; gRPC's own refusal of garbage would say nothing.
        handler: grpc.RpcMethodHandler[bytes, bytes] = grpc.unary_unary_rpc_method_handler(self._deliver)
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, {METHOD: handler}),))
        try:
            bound = server.add_insecure_port(str(address))
        except RuntimeError as error:
            raise _why_not_bound(address) from error
        await server.start()
        self._server = server
        return bound

    async def stop(self, grace_s: float = 1.0) -> None:
        """Refuse what comes from now on, and close; calls in work may end within the grace."""
        self._stopping = True
        if self._server is not None:
            await self._server.stop(grace_s)

    async def _deliver(self, data: bytes, context: "grpc.aio.ServicerContext[bytes, bytes]") -> bytes:
        outcome = self._outcome(data, context.time_remaining() is not None)
        match outcome:
            case Rejected(reason, _):
                self.rejected[reason] += 1
                await context.abort(status_of(reason), str(outcome))
            case Admitted(sender, messages):
                self.envelopes += 1
                self.bytes += len(data)
                self._on_batch(sender, messages, len(data))
        return b""  # An empty Receipt.

    def _outcome(self, data: bytes, has_deadline: bool) -> Admitted | Rejected:
        if self._stopping:
            return Rejected(Reason.STOPPING, "this node is shutting down")
        if not has_deadline:
            return Rejected(Reason.NO_DEADLINE, "set a deadline on the call")
        return self._gate.admit(data, self._now_ms(), self._wall_ms())


def _why_not_bound(address: Address) -> ListenFailed:
    """gRPC does not say why; a plain socket does."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((address.host, address.port))
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            return ListenFailed(f"cannot listen on {address}: {error.strerror}; choose another address or port")
    return PortInUse(
        f"another process listens on {address}; choose another port, or find it: ss -ltnp 'sport = :{address.port}'"
    )

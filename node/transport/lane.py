"""One lane to one peer: a bounded queue, a channel of its own, and one call at a time that takes all that waits."""

import asyncio
from collections import deque
from collections.abc import Callable

import grpc

from node.transport.rate import RateLimiter
from node.transport.wire import ENVELOPE_OVERHEAD, ENVELOPE_SIZE_MAX, MESSAGES_MAX, METHOD, PAYLOAD_SIZE_MAX, SERVICE

PATH = f"/{SERVICE}/{METHOD}"
WAITING_MAX = 4_096
"""Messages in one queue. A peer that lags by more gets the newest and asks for what it lacks."""
WAITING_BYTES_MAX = 8 * 1024 * 1024
REASON_LENGTH_MAX = 300
"""The peer writes most of it."""

_OPTIONS = (
    ("grpc.use_local_subchannel_pool", 1),  # or the two lanes to a peer would share one connection
    ("grpc.enable_http_proxy", 0),  # a proxy set for browsing must not carry peers
    ("grpc.max_send_message_length", ENVELOPE_SIZE_MAX),
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.min_reconnect_backoff_ms", 1_000),  # also how long one attempt to connect may take
    ("grpc.max_reconnect_backoff_ms", 1_000),  # gRPC's own default is two minutes
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
)


class Lane:
    """Sends in order. What fails is reported and not sent again: the protocols above repair."""

    def __init__(
        self,
        address: str,
        *,
        limiter: RateLimiter,
        timeout_s: float,
        seal: Callable[[bytes], bytes],
        on_sent: Callable[[int, int], None],
        on_failed: Callable[[str], None],
    ) -> None:
        """
        Args:
            address: where the peer listens.
            limiter: how much this peer may be sent; shared by its lanes.
            timeout_s: for one call, connecting included.
            seal: makes an envelope of a payload.
            on_sent: called with messages and bytes of an envelope that the peer took.
            on_failed: called with the reason when an envelope was refused or its fate is unknown.
        """
        self._address = address
        self._limiter = limiter
        self._timeout_s = timeout_s
        self._seal = seal
        self._on_sent = on_sent
        self._on_failed = on_failed
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._channel: grpc.aio.Channel | None = None
        self._task: asyncio.Task[None] | None = None
        self.dropped = 0
        """Messages that gave way to newer ones."""

    @property
    def waiting(self) -> int:
        """Messages in the queue."""
        return len(self._waiting)

    @property
    def is_idle(self) -> bool:
        return self._task is None

    def push(self, part: bytes) -> None:
        """Queue one packed message. The oldest give way when the queue is full."""
        self._waiting.append(part)
        self._waiting_bytes += len(part)
        while len(self._waiting) > WAITING_MAX or self._waiting_bytes > WAITING_BYTES_MAX:
            self._waiting_bytes -= len(self._waiting.popleft())
            self.dropped += 1
        if self._task is None:
            self._task = asyncio.create_task(self._drain())

    async def close(self) -> None:
        """Drop what waits, give up the call in work, and close the channel."""
        self._waiting.clear()
        self._waiting_bytes = 0
        task = self._task
        if task is not None:
            task.cancel()
            await asyncio.wait([task])
        if self._channel is not None:
            await self._channel.close()
            self._channel = None

    async def _drain(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._waiting:
                count, size = self._next()
                wait_ms = self._limiter.take(size + ENVELOPE_OVERHEAD, int(loop.time() * 1_000))
                if wait_ms > 0:
                    await asyncio.sleep(wait_ms / 1_000)  # More may come meanwhile and go along.
                else:
                    await self._deliver(self._seal(self._take(count, size)), count)
        finally:
            self._task = None

    def _next(self) -> tuple[int, int]:
        """How many of the oldest messages fit into one envelope, and their size."""
        count = size = 0
        for part in self._waiting:
            if count == MESSAGES_MAX or size + len(part) > PAYLOAD_SIZE_MAX:
                break
            count, size = count + 1, size + len(part)
        return count, size

    def _take(self, count: int, size: int) -> bytes:
        """Payloads joined end to end are one payload."""
        self._waiting_bytes -= size
        return b"".join([self._waiting.popleft() for _ in range(count)])

    async def _deliver(self, envelope: bytes, count: int) -> None:
        if self._channel is None:
            self._channel = grpc.aio.insecure_channel(self._address, options=_OPTIONS)
        call: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = self._channel.unary_unary(PATH)
        try:
            await call(envelope, timeout=self._timeout_s, wait_for_ready=False)
        except grpc.aio.AioRpcError as error:
            self._on_failed(f"{error.code().name}: {error.details()}"[:REASON_LENGTH_MAX])
        else:
            self._on_sent(count, len(envelope))

"""Sends messages to peers: two lanes to each, so that a megabyte of agendas does not delay the answer to a ping."""

import asyncio
from dataclasses import dataclass
from typing import Protocol

from coordinator.signed import Digest, NodeId, Signer
from node.membership.messages import MembershipMessage, SyncRequest
from node.transport.address import AddressInvalid, NotLoopback, parse_address
from node.transport.lane import Lane
from node.transport.rate import Rate, RateLimiter
from node.transport.wire import Message, pack_in_parts, seal

IDLE_S_MAX = 120.0
"""Connections to a peer that was sent nothing for so long are closed; members that are alive are probed more often."""
RATE_SENT = Rate(envelopes_per_s=250, bytes_per_s=4 * 1024 * 1024)
"""To one peer: half of what a gate takes by default, so that neither a clock nor a restart gets a node refused."""


class OnFailed(Protocol):
    """Hears of messages that did not, or perhaps not, arrive."""

    def __call__(self, to: NodeId | None, address: str, local: bool, reason: str) -> None:
        """
        Args:
            to: the peer, or None for whoever listens at the address.
            address: where it was looked for.
            local: nothing left this machine, for a reason of ours; it says nothing about the peer.
            reason: for people and logs; holds text that the peer chose.
        """


@dataclass(slots=True)
class _Peer:
    """The two lanes to one peer at one address."""

    address: str
    control: Lane
    data: Lane
    used_at_s: float

    @property
    def lanes(self) -> tuple[Lane, Lane]:
        return self.control, self.data


class Outbox:
    """Everything this node sends in one moot. Made, used and closed inside one running event loop."""

    def __init__(
        self,
        *,
        signer: Signer,
        moot: Digest,
        epoch: int,
        on_failed: OnFailed,
        timeout_s: float = 10.0,
        control_timeout_s: float = 1.0,
        rate: Rate = RATE_SENT,
        idle_s_max: float = IDLE_S_MAX,
    ) -> None:
        """
        Args:
            signer: seals the envelopes.
            moot: id of the moot.
            epoch: higher at every start of this node, or peers refuse its envelopes as replays.
            on_failed: called on the loop, never from within `send`.
            timeout_s: for one call with messages of the moot, connecting included.
            control_timeout_s: for one call with messages of membership.
            rate: how much one peer is sent at most.
            idle_s_max: when connections that are not used are closed.
        """
        self._signer = signer
        self._moot = moot
        self._epoch = epoch
        self._on_failed = on_failed
        self._timeout_s = timeout_s
        self._control_timeout_s = control_timeout_s
        self._rate = rate
        self._idle_s_max = idle_s_max
        self._loop = asyncio.get_running_loop()
        self._sequences: dict[NodeId | None, int] = {}
        self._peers: dict[tuple[NodeId | None, str], _Peer] = {}
        """By node; or, where the node is not known, by address."""
        self._closing: set[asyncio.Task[None]] = set()
        self._closed = False
        self._packed: tuple[Message, list[bytes]] | None = None
        """The newest message and its bytes, since most messages go to several peers, one after the other."""
        self._dropped = 0
        self._sweep_timer = self._loop.call_later(idle_s_max / 2, self._sweep)
        self.envelopes = 0
        """Taken by peers."""
        self.messages = 0
        self.bytes = 0
        self.failed = 0
        """Envelopes refused, or of unknown fate."""

    @property
    def dropped(self) -> int:
        """Messages never sent: they gave way to newer ones, or waited for an address that is no longer used."""
        return self._dropped + sum(lane.dropped for peer in self._peers.values() for lane in peer.lanes)

    @property
    def peers_open(self) -> int:
        """Peers that have a queue and connections."""
        return len(self._peers)

    def send(self, to: NodeId | None, address: str, message: Message) -> None:
        """Queue a message for a peer, and return at once. What is queued for one lane arrives in order, or not at all.

        Args:
            to: the peer; None for whoever listens at the address, who takes only a sync request.
            address: HOST:PORT. A new address of the same peer replaces the one before.
            message: membership messages take the control lane, all others the data lane.
        """
        assert to is not None or isinstance(message, SyncRequest), "only a sync request may go to an unknown node"
        if self._closed:
            return
        try:
            target = str(parse_address(address))
        except (AddressInvalid, NotLoopback) as error:
            self._report(to, address, True, str(error))
            return
        parts = self._pack(message)
        if not parts:
            self._report(to, address, True, f"{type(message).__name__}: one item is larger than an envelope")
            return
        peer = self._peer(to, target)
        lane = peer.control if isinstance(message, MembershipMessage) else peer.data
        for part in parts:
            lane.push(part)

    def drop(self, to: NodeId) -> None:
        """Close the connections to a peer, and forget what waits for it: it is no member any more."""
        if (to, "") in self._peers:
            self._retire((to, ""))

    async def close(self) -> None:
        """Give up what waits and what is in work, and close every connection. Nothing is reported from now on."""
        self._closed = True
        self._sweep_timer.cancel()
        for key in list(self._peers):
            self._retire(key)
        while self._closing:
            await asyncio.wait(self._closing)

    def _pack(self, message: Message) -> list[bytes]:
        if self._packed is None or self._packed[0] is not message:
            self._packed = message, pack_in_parts(message)
        return self._packed[1]

    def _peer(self, to: NodeId | None, address: str) -> _Peer:
        key = to, "" if to is not None else address
        peer = self._peers.get(key)
        if peer is not None and peer.address != address:
            self._retire(key)
            peer = None
        if peer is None:
            limiter = RateLimiter(self._rate)
            control = self._lane(to, address, limiter, self._control_timeout_s)
            data = self._lane(to, address, limiter, self._timeout_s)
            peer = self._peers[key] = _Peer(address, control, data, 0.0)
        peer.used_at_s = self._loop.time()
        return peer

    def _lane(self, to: NodeId | None, address: str, limiter: RateLimiter, timeout_s: float) -> Lane:
        return Lane(
            address,
            limiter=limiter,
            timeout_s=timeout_s,
            seal=lambda payload: self._seal(to, payload),
            on_sent=self._note_sent,
            on_failed=lambda reason: self._note_failed(to, address, reason),
        )

    def _seal(self, to: NodeId | None, payload: bytes) -> bytes:
        sequence = self._sequences[to] = self._sequences.get(to, 0) + 1
        return seal(self._signer, self._moot, to, self._epoch, sequence, payload)

    def _note_sent(self, messages: int, size: int) -> None:
        self.envelopes += 1
        self.messages += messages
        self.bytes += size

    def _note_failed(self, to: NodeId | None, address: str, reason: str) -> None:
        self.failed += 1
        self._report(to, address, False, reason)

    def _report(self, to: NodeId | None, address: str, local: bool, reason: str) -> None:
        """From the loop, so that a state machine that is just sending is not entered again."""
        self._loop.call_soon(self._report_now, to, address, local, reason)

    def _report_now(self, to: NodeId | None, address: str, local: bool, reason: str) -> None:
        if not self._closed:
            self._on_failed(to, address, local, reason)

    def _sweep(self) -> None:
        """Close the connections that are no longer used."""
        used_since_s = self._loop.time() - self._idle_s_max
        for key, peer in list(self._peers.items()):
            if peer.used_at_s < used_since_s and all(lane.is_idle for lane in peer.lanes):
                self._retire(key)
        self._sweep_timer = self._loop.call_later(self._idle_s_max / 2, self._sweep)

    def _retire(self, key: tuple[NodeId | None, str]) -> None:
        """Forget a peer's lanes, and close them in the background."""
        for lane in self._peers.pop(key).lanes:
            self._dropped += lane.dropped + lane.waiting
            task = self._loop.create_task(lane.close())
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

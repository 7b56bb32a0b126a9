"""Membership as a pure state machine: SWIM (DSN 2002) with Lifeguard (arXiv 1707.00788), over owner-signed records."""

import random
from collections.abc import Callable, Sequence
from typing import assert_never

from coordinator.signed import Kind, NodeId, Signed, Signer, Verifier
from node.membership.beliefs import Beliefs
from node.membership.cases import Cases
from node.membership.checks import Checks
from node.membership.contacts import Contacts
from node.membership.defence import Defence
from node.membership.events import (
    ClockSet,
    Confirm,
    Effect,
    Event,
    Leave,
    MemberView,
    Received,
    Revoke,
    Seed,
    SendFailed,
    SetMeta,
    Status,
    Tick,
)
from node.membership.exchange import Exchange
from node.membership.gossip import GossipQueue
from node.membership.health import LocalHealth
from node.membership.intake import Intake
from node.membership.local import Local, Spacing
from node.membership.members import NOBODY, Known
from node.membership.messages import (
    GOSSIP_MAX,
    Ack,
    Gossip,
    MembershipMessage,
    Nack,
    Ping,
    PingReq,
    SyncReply,
    SyncRequest,
)
from node.membership.own import OwnRecord, first_record
from node.membership.prober import Prober
from node.membership.probing import Probing
from node.membership.records import MemberRecord
from node.membership.relaying import Relaying
from node.membership.revocations import RevocationList, Revocations
from node.membership.settings import MembershipSettings
from node.membership.spread import Spread
from node.membership.table import Members
from node.membership.upkeep import Upkeep


class Membership:
    """Who is reachable, as one node sees it: feed it events, perform the effects in order, wake it when it asks.

    What a step costs does not depend on the number of members, but for a full exchange where the lists differ.

    Args:
        epoch: higher than in any earlier run of this node; kept on disk before the first send. At most the wall clock
            in milliseconds plus the allowed skew, or peers refuse it.
        address: where peers reach this node, host:port.
        meta: what peers should know of it, at most 512 bytes.
        admit: who may be a member at all; asked again for every message.
        seeds: where to knock when joining, and for ever while they are not alive.
        remembered: records of an earlier RememberMembers; they say where to knock, not who lives.
        wall_offset_ms: wall clock minus `now_ms`; serves only the coarse bounds of a record's age.
        operator_of: who runs a member's machine, where that is known; relays and receivers of gossip are chosen from
            several.
        is_heeded: whose lists of revoked keys count, whatever keys they name; anyone may revoke its own.
        known: members held alive and verified from the start, for simulations of a large moot. Where this node's own
            `first_record` is among them, it is not announced. One value serves any number of cores: a core takes 10 KiB
            and 50 microseconds then, whatever the number of members.
    Raises:
        RecordError: address or metadata do not fit in a record.
    """

    def __init__(
        self,
        *,
        signer: Signer,
        verifier: Verifier,
        settings: MembershipSettings,
        rng: random.Random,
        epoch: int,
        address: str,
        meta: bytes,
        admit: Callable[[NodeId], bool],
        seeds: Sequence[Seed],
        remembered: Sequence[Signed],
        wall_offset_ms: int,
        now_ms: int,
        known: Known = NOBODY,
        operator_of: Callable[[NodeId], str] = lambda node: "",
        is_heeded: Callable[[NodeId], bool] = lambda author: False,
    ) -> None:
        wall_ms = now_ms + wall_offset_ms
        signed = first_record(signer, settings, epoch=epoch, address=address, meta=meta, wall_ms=wall_ms)
        revocations = Revocations(is_heeded)
        local = Local(
            settings,
            rng,
            OwnRecord.begin(signer, signed, now_ms),
            lambda node: admit(node) and not revocations.holds(node),
            operator_of,
            wall_offset_ms,
            now_ms,
            GossipQueue(settings, signer.node),
            Members(signer.node, now_ms, known),
            LocalHealth(settings.health_max),
            Spacing(settings.evidence_spacing_ms),
            revocations,
        )
        intake = Intake(verifier, settings)
        self._local = local
        self._cases = Cases(local)
        self._beliefs = Beliefs(local, intake, self._cases, Defence(local))
        self._exchange = Exchange(local, self._beliefs, Spacing(settings.sync_spacing_ms))
        prober = Prober(local)
        self._relaying, self._checks = Relaying(local, prober), Checks(local, prober)
        probe_ms = now_ms + 1 + rng.randrange(settings.probe_interval_ms)
        self._probing = Probing(local, self._beliefs, self._cases, prober, self._relaying, self._checks, probe_ms)
        self._spread = Spread(local, now_ms + 1 + rng.randrange(settings.gossip_interval_ms))
        for item in remembered:
            if item.kind is Kind.REVOCATION:
                self._beliefs.hear(item, local.node)
        knock = [*seeds, *_remembered_seeds(remembered, verifier, local.admit)]
        self._contacts = Contacts.start(local, self._exchange, knock)
        snapshot_ms = now_ms + 1 + rng.randrange(settings.snapshot_interval_ms)
        self._upkeep = Upkeep(local, self._beliefs, self._contacts, self._announce, snapshot_ms)
        self._leave_due_ms: int | None = None
        told = known.by_node.get(local.node)
        if told is None or told.signed != local.own.signed:
            local.queue.replace(local.node, local.own.signed)
        self._promised_ms: int | None = None
        """The deadline given after the last step: later than that, and the loop lagged."""
        self._next_ms = self._due_ms()

    def step(self, event: Event, now_ms: int) -> list[Effect]:
        """Advance by one event at this monotonic time; the effects are to be performed in order."""
        local = self._local
        since_ms = now_ms - local.now_ms
        assert since_ms >= 0, "the monotonic clock ran backwards"
        local.now_ms = now_ms
        if not local.stopped:
            self._feel_lag(event, since_ms)
            self._handle(event)
        if not local.stopped:
            self._run_timers()
        self._promised_ms = self._next_ms = due_ms = self._due_ms()
        assert due_ms is None or due_ms > now_ms, "a deadline in the past would fire for ever"
        effects, local.out = local.out, []
        return effects

    def next_deadline_ms(self) -> int | None:
        """When to call `step` with a Tick at the latest. None: never, for this node has left or was stopped."""
        return self._next_ms

    def _due_ms(self) -> int | None:
        if self._local.stopped or (self._local.own.left and self._leave_due_ms is None):
            return None
        dues = [self._beliefs.due_ms(), self._spread.due_ms()]
        if self._leave_due_ms is not None:
            dues.append(self._leave_due_ms)
        else:
            dues += [self._probing.due_ms(), self._contacts.due_ms(), self._upkeep.due_ms()]
        return min(due for due in dues if due is not None)

    def members(self) -> Sequence[MemberView]:
        """All known members, tombstones and this node included, by id."""
        views = [self._local.members.view(member) for member in self._local.members]
        views.append(self._local.own.view(self._local.now_ms))
        return sorted(views, key=lambda view: view.node)

    def view_of(self, node: NodeId) -> MemberView | None:
        """One known member or this node; None for all others."""
        if node == self._local.node:
            return self._local.own.view(self._local.now_ms)
        member = self._local.members.get(node)
        return None if member is None else self._local.members.view(member)

    def status_of(self, node: NodeId) -> Status | None:
        """As `view_of`, the status alone."""
        if node == self._local.node:
            return self._local.own.record.status
        member = self._local.members.get(node)
        return None if member is None else member.status

    def reachable(self) -> frozenset[NodeId]:
        """Who can be spoken with: all alive or suspect that speak our protocol; this node too, until it has left."""
        members = [member.node for member in self._local.members if member.live and member.record.is_compatible]
        return frozenset(members if self._local.own.left else [*members, self._local.node])

    def equivocation(self, node: NodeId) -> tuple[Signed, Signed] | None:
        """The proof that a member signed two different records of one key in its present epoch, where it did."""
        return self._local.members.conflicts.get(node)

    def is_revoked(self, node: NodeId) -> bool:
        """Whether a list that counts here names this key. Nothing from it is to be let in."""
        return self._local.revocations.holds(node)

    def own_revocations(self) -> RevocationList | None:
        """This node's newest list of revoked keys, where it has one. A newer one replaces it, and has to repeat it."""
        return self._local.revocations.listed_by(self._local.node)

    def count(self, status: Status) -> int:
        """How many others have this status."""
        return self._local.members.count(status)

    def address_of(self, node: NodeId) -> str | None:
        """Where a member, by its own signed word, is reached; None when we hold no record of it."""
        if node == self._local.node:
            return self._local.own.record.address
        member = self._local.members.get(node)
        return None if member is None else member.record.address

    def _handle(self, event: Event) -> None:
        local = self._local
        match event:
            case Received(sender, message):
                self._receive(sender, message)
            case SendFailed(to=to, local=is_local):
                self._probing.on_send_failed(to, local=is_local)
            case SetMeta(meta):
                if not local.own.left:
                    local.own.renew(local.now_ms, local.wall_ms, meta=meta)
                    self._announce()
            case Leave():
                if not local.own.left:
                    local.own.renew(local.now_ms, local.wall_ms, status=Status.LEFT)
                    self._announce()
                    self._leave_due_ms = local.now_ms + local.settings.leave_linger_ms
            case Revoke(revocations):
                self._beliefs.hear(revocations, local.node)
            case Confirm(node):
                self._checks.begin(node)
            case ClockSet(wall_offset_ms):
                local.wall_offset_ms = wall_offset_ms
            case Tick():
                pass  # timers run in every step
            case _:
                assert_never(event)

    def _receive(self, sender: NodeId, message: MembershipMessage) -> None:
        local = self._local
        if sender == local.node or not local.admit(sender):
            local.note("message.refused", sender=sender)
            return
        if self._beliefs.graylist.holds(sender, local.now_ms):
            if isinstance(message, Gossip | SyncRequest | SyncReply):
                return
        elif not all(self._beliefs.hear(item, sender) for item in _gossip_on(message)):
            return
        member = local.members.get(sender)
        if member is not None:
            local.members.hear(member, local.now_ms)
        match message:
            case Ping():
                self._probing.on_ping(sender, message)
            case Ack():
                self._probing.on_ack(sender, message)
            case PingReq():
                self._relaying.on_ping_req(sender, message)
            case Nack():
                self._probing.on_nack(sender, message)
            case SyncRequest():
                self._exchange.on_request(sender, message)
            case SyncReply():
                self._exchange.on_reply(sender, message)
            case Gossip():
                pass  # its items were heard above
            case _:
                assert_never(message)

    def _run_timers(self) -> None:
        local = self._local
        self._beliefs.run()
        for node in local.proven:
            self._exchange.on_proven(node)
        local.proven.clear()
        if not local.own.left:
            self._probing.run()
            self._contacts.run()
            self._upkeep.run()
        self._spread.run()
        if self._leave_due_ms is not None and (self._leave_due_ms <= local.now_ms or self._spread.due_ms() is None):
            self._leave_due_ms = None
            local.note("leave.done")

    def _feel_lag(self, event: Event, since_ms: int) -> None:
        """Time in which this node did not run: messages wait unread, so nobody may be judged by their absence.

        It is no longer than the time since the last step, and so a stall is felt once, by whichever event comes first.
        """
        local, timeout_ms = self._local, self._local.settings.probe_timeout_ms
        lag_ms = min(event.lag_ms, since_ms) if isinstance(event, Tick) else 0
        if self._promised_ms is not None:
            lag_ms = max(lag_ms, local.now_ms - self._promised_ms)
        if lag_ms > timeout_ms // 2:
            local.health.penalize(local.now_ms, max(1, lag_ms // 1_000))
        if lag_ms > timeout_ms // 4:
            self._probing.on_lag(lag_ms)
            self._cases.pause(lag_ms)

    def _announce(self) -> None:
        """Our record is new: tell it first and at once."""
        self._local.queue.replace(self._local.node, self._local.own.signed)
        self._local.urgent = True


def _gossip_on(message: MembershipMessage) -> tuple[Signed, ...]:
    match message:
        case Ping() | Ack() | PingReq():
            return message.gossip[:GOSSIP_MAX]
        case Gossip():
            return message.items[:GOSSIP_MAX]
        case Nack() | SyncRequest() | SyncReply():
            return ()
        case _:
            assert_never(message)


def _remembered_seeds(remembered: Sequence[Signed], verifier: Verifier, admit: Callable[[NodeId], bool]) -> list[Seed]:
    """Where the members of an earlier snapshot were. However old: an address is worth a knock."""
    return [
        Seed(item.author, MemberRecord.decode(item.body).address)
        for item in remembered
        if item.kind is Kind.MEMBER and admit(item.author) and verifier.verify(item)
    ]

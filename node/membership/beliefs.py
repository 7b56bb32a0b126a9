"""What this node believes of each member, and why: the state table of SWIM with signed records and accusations.

Source: Das et al., SWIM (DSN 2002), section 4.2; Dadgar et al., Lifeguard (arXiv 1707.00788), section 4.2.

A record is signed by its owner, an accusation by its accuser. Only a record of a higher (epoch, incarnation) ends a
suspicion, a death or a departure. An accusation counts only for the incarnation of which we hold an owner's record,
so nobody can burn another's incarnations. No message makes a member dead: only our own countdown does.
"""

from dataclasses import dataclass, field

from coordinator.signed import NodeId, Signed
from node.membership.events import MemberChanged, Status
from node.membership.intake import Intake, Rejected
from node.membership.local import Local
from node.membership.members import Member
from node.membership.messages import Gossip
from node.membership.records import AckBody, Key, MemberRecord, Suspicion
from node.membership.suspicion import Countdown

HELD_MAX = 256
"""Accusations waiting for a record."""


@dataclass(slots=True)
class Beliefs:
    local: Local
    intake: Intake
    _held: dict[tuple[NodeId, NodeId], tuple[Signed, Key, int]] = field(default_factory=dict)
    """By (target, accuser), oldest first: an accusation of a key that we do not know, until when it waits."""
    _refute_due_ms: int | None = None
    _refuted_ms: int | None = None

    def hear(self, item: Signed, sender: NodeId) -> bool:
        """Take in one signed item. False: it is forged, and honest peers pass nothing forged on."""
        value = self.intake.open(item, self.local.wall_ms)
        match value:
            case Rejected(reason):
                self.local.note("item.rejected", reason=reason, sender=sender, author=item.author)
                return reason != "bad_signature"
            case _ if not self.local.admit(item.author):
                pass
            case MemberRecord() if item.author == self.local.node:
                self._hear_of_self(value, item, sender)
            case MemberRecord():
                self._hear_record(value, item, sender)
            case Suspicion() if item.author == self.local.node:
                pass  # our own accusation comes back; we know it, and must not confirm ourselves
            case Suspicion() if value.target == self.local.node:
                self._hear_accused(value, item.author, sender)
            case Suspicion():
                self._hear_suspicion(value, item, sender)
        return True

    def accuse(self, member: Member) -> None:
        """Our own probe of it failed."""
        if member.live and self.local.node not in member.accusations:
            accusation = self.local.own.accuse(member.node, member.key, self.local.wall_ms)
            self._suspect(member, self.local.node, accusation)

    def acknowledge(self, member: Member, ack: AckBody) -> bool:
        """It answered us, signed and fresh: we take our own accusation back. Only its newer record clears it.

        False: the answer is of an older incarnation than its owner has already signed, and counts for nothing.
        """
        if ack.key < member.key:
            return False
        member.verified, member.last_heard_ms = True, self.local.now_ms
        if member.countdown is not None:
            member.accusations.pop(self.local.node, None)
            member.countdown.started_ms = self.local.now_ms
        if ack.key > member.key:
            self.local.ask_for(member.node, member.node)
        return True

    def pause(self, lag_ms: int) -> None:
        """This node did not run for a while. What it could not hear in that time convicts nobody."""
        for member in self.local.members.suspects():
            assert member.countdown is not None, "every suspect has a countdown"
            member.countdown.pause(lag_ms, self.local.now_ms)

    def due_ms(self) -> int | None:
        dues = [member.countdown.due_ms for member in self.local.members.suspects() if member.countdown is not None]
        dues += [until_ms for _, _, until_ms in self._held.values()]
        if self._refute_due_ms is not None:
            dues.append(self._refute_due_ms)
        return min(dues, default=None)

    def run(self) -> None:
        now_ms = self.local.now_ms
        for member in self.local.members.suspects():
            if member.countdown is not None and member.countdown.due_ms <= now_ms:
                self._declare_dead(member)
        self._held = {pair: held for pair, held in self._held.items() if held[2] > now_ms}
        if self._refute_due_ms is not None and self._refute_due_ms <= now_ms:
            self._refute()

    def _hear_of_self(self, record: MemberRecord, item: Signed, sender: NodeId) -> None:
        own = self.local.own
        if record.key > own.key or (record.key == own.key and record != own.record):
            self.local.note("clone.running", epoch=record.epoch, incarnation=record.incarnation, sender=sender)
            self.local.stopped = True
        elif record.key < own.key:
            self.local.correct(own.node, (own.signed,), sender)

    def _hear_record(self, record: MemberRecord, item: Signed, sender: NodeId) -> None:
        local = self.local
        member = local.members.get(item.author)
        if member is None:
            self._meet(record, item)
        elif (record.key, record.status.value) > (member.key, member.record.status.value):
            self._renew(member, record, item)  # LEFT outranks ALIVE of the same key
        else:
            self._hear_again(member, record, item, sender)

    def _hear_again(self, member: Member, record: MemberRecord, item: Signed, sender: NodeId) -> None:
        """A record that is no newer than what we hold."""
        local = self.local
        same_rank = (record.key, record.status) == (member.key, member.record.status)
        if same_rank and record != member.record and member.conflict is None:
            member.conflict = item
            local.note("member.equivocated", member=member.node, epoch=record.epoch, incarnation=record.incarnation)
        if member.status is not Status.ALIVE:
            # A peer that missed the suspicion or the death would otherwise go on repeating the old record for ever
            # (memberlist issue 311), and the accused would never learn that it has to refute.
            local.correct(member.node, member.evidence(), sender)

    def _meet(self, record: MemberRecord, item: Signed) -> None:
        local = self.local
        if len(local.members) >= local.settings.members_max:
            local.note("members.full", member=item.author)
            return
        member = Member(item.author, item, record, record.status, local.now_ms)
        local.members.add(member)
        local.newcomers.append(member.node)
        local.queue.replace(member.node, item)
        local.out.append(MemberChanged(member.node, None, member.status))
        self._release_held(member)

    def _renew(self, member: Member, record: MemberRecord, item: Signed) -> None:
        local = self.local
        old, before = member.record, member.status
        member.record, member.signed = record, item
        member.accusations, member.countdown = {}, None
        if record.epoch > old.epoch:  # another run of the process, which we have not heard yet
            member.verified, member.answered, member.conflict, member.rtt_ms = False, False, None, None
        local.members.set_status(member, record.status, local.now_ms)
        told = (old.epoch, old.address, old.meta) != (record.epoch, record.address, record.meta)
        if told or before is not member.status:
            local.out.append(MemberChanged(member.node, before, member.status))
        local.queue.replace(member.node, item)
        self._release_held(member)

    def _hear_suspicion(self, suspicion: Suspicion, item: Signed, sender: NodeId) -> None:
        local = self.local
        member = local.members.get(suspicion.target)
        if member is None or suspicion.key > member.key:
            self._hold(suspicion, item, sender)
        elif suspicion.key < member.key:
            local.correct(member.node, (member.signed,), sender)
        else:
            accuser = local.members.get(item.author)
            if member.live and accuser is not None and accuser.live:
                self._suspect(member, item.author, item)

    def _hold(self, suspicion: Suspicion, item: Signed, sender: NodeId) -> None:
        local = self.local
        if not local.admit(suspicion.target):
            return
        if (suspicion.target, item.author) not in self._held:
            local.ask_for(suspicion.target, sender)
            if len(self._held) >= HELD_MAX:
                del self._held[next(iter(self._held))]
        until_ms = local.now_ms + local.settings.hold_ms
        self._held.setdefault((suspicion.target, item.author), (item, suspicion.key, until_ms))

    def _release_held(self, member: Member) -> None:
        """Its record came: accusations of just that incarnation count now, of an older one never."""
        for pair, (item, key, _) in list(self._held.items()):
            if pair[0] == member.node and key <= member.key:
                del self._held[pair]
                accuser = self.local.members.get(item.author)
                if key == member.key and member.live and accuser is not None and accuser.live:
                    self._suspect(member, item.author, item)

    def _suspect(self, member: Member, accuser: NodeId, accusation: Signed) -> None:
        local = self.local
        if member.countdown is None:
            assert member.status is Status.ALIVE, "a suspect has a countdown"
            member.countdown = Countdown.start(local.settings, local.n, local.now_ms)
            member.accusations = {accuser: accusation}
            local.change(member, Status.SUSPECT)
        else:
            others = len(member.accusations) - (local.node in member.accusations)
            if accuser in member.accusations or others > member.countdown.expected:
                return  # known, or enough to make everybody's countdown its shortest
            member.accusations[accuser] = accusation
            if accuser != local.node:  # on a sick machine our own would hasten the death of the healthy
                member.countdown.confirmations += 1
        local.queue.put(member.node, accusation)
        local.urgent |= accuser == local.node

    def _declare_dead(self, member: Member) -> None:
        """Nobody refuted in time. Our accusation and the others' are the death notice: evidence, not a verdict."""
        local = self.local
        if local.node not in member.accusations:
            member.accusations[local.node] = local.own.accuse(member.node, member.key, local.wall_ms)
        member.countdown = None
        local.change(member, Status.DEAD)
        for accusation in member.accusations.values():
            local.queue.put(member.node, accusation)
        local.urgent = True

    def _hear_accused(self, suspicion: Suspicion, accuser: NodeId, sender: NodeId) -> None:
        local, own = self.local, self.local.own
        if suspicion.key > own.key:
            local.note("accusation.unknown", accuser=accuser, epoch=suspicion.epoch, incarnation=suspicion.incarnation)
        elif suspicion.key < own.key or own.left:
            local.correct(own.node, (own.signed,), sender)
        elif self._refute_due_ms is None:
            local.health.worsen()
            spaced_ms = local.now_ms
            if self._refuted_ms is not None:
                spaced_ms = max(spaced_ms, self._refuted_ms + local.settings.gossip_interval_ms)
            self._refute_due_ms = spaced_ms
            if spaced_ms <= local.now_ms:
                self._refute()
                local.send(accuser, Gossip((own.signed,)))

    def _refute(self) -> None:
        """Raise our incarnation, at most once in a gossip interval: one covers every accusation before it."""
        local = self.local
        self._refute_due_ms, self._refuted_ms = None, local.now_ms
        if not local.own.left:
            local.own.renew(local.now_ms, local.wall_ms)
            local.queue.replace(local.node, local.own.signed)
            local.urgent = True
            local.note("self.refuted", incarnation=local.own.record.incarnation)

"""What this node believes of each member, and why: the state table of SWIM with signed records and accusations.

Source: Das et al., SWIM (DSN 2002), section 4.2; Dadgar et al., Lifeguard (arXiv 1707.00788), section 4.2.

A record is signed by its owner, an accusation by its accuser. Only a record of a higher (epoch, incarnation) ends a
suspicion, a death or a departure. An accusation counts only for the incarnation of which we hold an owner's record,
so nobody can burn another's incarnations. No message makes a member dead: only our own countdown does.
"""

from dataclasses import dataclass, field

from coordinator.signed import Kind, NodeId, Signed
from node.membership.accusers import Accusers
from node.membership.deadlines import Deadlines
from node.membership.events import MemberChanged, MemberForgotten, Status
from node.membership.flaps import Flaps
from node.membership.graylist import Graylist
from node.membership.intake import Intake, Rejected
from node.membership.local import Local
from node.membership.members import Case, Member, believed
from node.membership.messages import Gossip
from node.membership.records import AckBody, Key, MemberRecord, Suspicion
from node.membership.revocations import Heard, RevocationList
from node.membership.suspicion import Countdown

HELD_MAX = 256
"""Accusations waiting for a record."""


@dataclass(slots=True)
class Beliefs:
    local: Local
    intake: Intake
    accusers: Accusers = field(default_factory=Accusers)
    flaps: Flaps = field(default_factory=Flaps)
    graylist: Graylist = field(default_factory=Graylist)
    _verdicts: Deadlines = field(default_factory=Deadlines)
    """When each suspicion ends, by suspect."""
    _held: dict[tuple[NodeId, NodeId], tuple[Signed, Key, int]] = field(default_factory=dict)
    """By (target, accuser), oldest first: an accusation of a key that we do not know, until when it waits."""
    _refute_due_ms: int | None = None
    _refuted_ms: int | None = None

    def hear(self, item: Signed, sender: NodeId) -> bool:
        """Take in one signed item. False: it is forged, and honest peers pass nothing forged on."""
        if item.kind is Kind.MEMBER and (member := self.local.members.get(item.author)) is not None:
            if member.signed == item and self.local.admit(item.author):
                self._hear_again(member, member.record, item, sender)  # it was checked when it came first
                return True
        value = self.intake.open(item, self.local.wall_ms)
        match value:
            case Rejected(reason):
                self.local.note("item.rejected", reason=reason, sender=sender, author=item.author)
                if reason != "bad_signature":
                    return True
                if self.graylist.blame(sender, self.local.now_ms):
                    self.local.note("member.graylisted", member=sender)
                return False
            case RevocationList():
                self._hear_revocations(value, item, sender)
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
        if member.live and self.local.node not in self.local.members.accusations(member.node):
            accusation = self.local.own.accuse(member.node, member.key, self.local.wall_ms)
            self._suspect(member, self.local.node, accusation)

    def acknowledge(self, member: Member, ack: AckBody) -> bool:
        """It answered us, signed and fresh: we take our own accusation back. Only its newer record clears it.

        False: the answer is of an older incarnation than its owner has already signed, and counts for nothing.
        """
        local = self.local
        if ack.key < member.key:
            return False
        local.members.hear(member, local.now_ms)
        case = local.members.cases.get(member.node)
        if case is not None and case.countdown is not None:
            case.withdrawn = case.accusations.pop(local.node, case.withdrawn)
            case.countdown.started_ms = local.now_ms
            self._verdicts.set(member.node, case.countdown.due_ms)
        if ack.key > member.key:
            local.ask_for(member.node, member.node)
        return True

    def pause(self, lag_ms: int) -> None:
        """This node did not run for a while. What it could not hear in that time convicts nobody."""
        for node, case in self.local.members.cases.items():
            if case.countdown is not None:
                case.countdown.pause(lag_ms, self.local.now_ms)
                self._verdicts.set(node, case.countdown.due_ms)

    def due_ms(self) -> int | None:
        due_ms = self._verdicts.next_ms()
        if self._held:
            held_ms = next(iter(self._held.values()))[2]  # all wait equally long, so the oldest is the first
            due_ms = held_ms if due_ms is None else min(due_ms, held_ms)
        if self._refute_due_ms is not None:
            due_ms = self._refute_due_ms if due_ms is None else min(due_ms, self._refute_due_ms)
        return due_ms

    def run(self) -> None:
        now_ms = self.local.now_ms
        for node in self._verdicts.take(now_ms):
            member = self.local.members.get(node)
            if member is not None:
                self._declare_dead(member)
        while self._held:
            pair, held = next(iter(self._held.items()))
            if held[2] > now_ms:
                break
            del self._held[pair]
        if self._refute_due_ms is not None and self._refute_due_ms <= now_ms:
            self._refute()

    def forget(self, node: NodeId) -> None:
        """It is no member any more."""
        self._verdicts.drop(node)
        self.local.members.remove(node)
        self.local.queue.forget(node)
        self.local.out.append(MemberForgotten(node))

    def _hear_revocations(self, revocations: RevocationList, item: Signed, sender: NodeId) -> None:
        local, subject = self.local, b"revocations of " + item.author
        heard = local.revocations.hear(item, revocations)
        match heard:
            case Heard.NEW:
                local.queue.replace(subject, item)
                local.urgent = local.worth_keeping = True
                for node, reason in revocations.reasons:
                    local.note("key.revoked", node=node, by=item.author, reason=reason)
                    if local.members.get(node) is not None:
                        self.forget(node)
            case Heard.OUTDATED:
                local.correct(subject, (local.revocations.of(item.author),), sender)
            case Heard.CONFLICTING | Heard.NOT_HEEDED:
                local.note("revocations.refused", author=item.author, reason=heard.value)
            case Heard.KNOWN:
                pass

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
        members = local.members
        same_rank = (record.key, record.status) == (member.key, member.record.status)
        if same_rank and record != member.record and member.node not in members.conflicts:
            members.conflicts[member.node] = item
            local.note("member.equivocated", member=member.node, epoch=record.epoch, incarnation=record.incarnation)
        if member.status is not Status.ALIVE:
            # A peer that missed the suspicion or the death would otherwise go on repeating the old record for ever
            # (memberlist issue 311), and the accused would never learn that it has to refute.
            local.correct(member.node, members.evidence(member), sender)

    def _meet(self, record: MemberRecord, item: Signed) -> None:
        local = self.local
        if len(local.members) >= local.settings.members_max:
            local.note("members.full", member=item.author)
            return
        member = believed(item, record.status, False)
        local.newcomers.append(local.members.add(member, local.now_ms))
        if not local.quiet:
            local.queue.replace(member.node, item)
        local.out.append(MemberChanged(member.node, None, member.status))
        self._note_protocol(member)
        self._release_held(member)

    def _renew(self, member: Member, record: MemberRecord, item: Signed) -> None:
        local, members, node = self.local, self.local.members, member.node
        old, before = member.record, member.status
        restarted = record.epoch > old.epoch
        self._close_case(member, refuted=not restarted and record.status is Status.ALIVE)
        if restarted or record.address != old.address:
            members.strangers.add(node)
        if restarted:  # another run of the process, which we have not heard yet
            members.conflicts.pop(node, None)
            members.rtts_ms.pop(node, None)
        member = believed(item, record.status, member.verified and not restarted)
        members.put(member, local.now_ms)
        told = (old.epoch, old.address, old.meta) != (record.epoch, record.address, record.meta)
        if told or before is not member.status:
            local.out.append(MemberChanged(node, before, member.status))
        local.queue.replace(node, item)
        if restarted:
            self._note_protocol(member)
        self._release_held(member)

    def _note_protocol(self, member: Member) -> None:
        record = member.record
        if not record.is_compatible:
            versions = {"protocol_min": record.protocol_min, "protocol_max": record.protocol_max}
            self.local.note("member.incompatible", member=member.node, **versions)

    def _close_case(self, member: Member, *, refuted: bool) -> None:
        """Its owner has spoken. Unless it lived all the time, nothing is proved against its accusers."""
        local = self.local
        self._verdicts.drop(member.node)
        case = local.members.cases.pop(member.node, None)
        if case is None or not refuted:
            return
        for accuser in case.accusations:
            if accuser != local.node and self.accusers.judge(accuser, local.now_ms, refuted=True):
                local.note("accuser.silenced", accuser=accuser)
        if self.flaps.count(member.node, local.now_ms):
            local.note("member.flappy", member=member.node)

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
        case = local.members.cases.get(member.node)
        if case is None:
            assert member.status is Status.ALIVE, "a suspect has a case"
            countdown = Countdown.start(local.settings, local.n, local.now_ms)
            local.members.cases[member.node] = Case({accuser: accusation}, countdown)
            local.change(member, Status.SUSPECT)
        else:
            assert case.countdown is not None, "only a live member is accused"
            countdown, accusations = case.countdown, case.accusations
            others = len(accusations) - (local.node in accusations)
            if accuser in accusations or others > countdown.expected:
                return  # known, or enough to make everybody's countdown its shortest
            if accuser != local.node and not self.accusers.has_weight(accuser, local.now_ms):
                return
            accusations[accuser] = accusation
            if accuser != local.node:  # on a sick machine our own would hasten the death of the healthy
                countdown.confirmations += 1
        self._verdicts.set(member.node, countdown.due_ms)
        local.queue.put(member.node, accusation)
        local.urgent |= accuser == local.node

    def _declare_dead(self, member: Member) -> None:
        """Nobody refuted in time. Our accusation and the others' are the death notice: evidence, not a verdict."""
        local = self.local
        case = local.members.cases[member.node]
        if local.node not in case.accusations:
            case.accusations[local.node] = local.own.accuse(member.node, member.key, local.wall_ms)
        case.countdown = None
        local.change(member, Status.DEAD)
        for accuser, accusation in case.accusations.items():
            self.accusers.judge(accuser, local.now_ms, refuted=False)
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

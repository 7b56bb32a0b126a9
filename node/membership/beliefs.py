"""What this node believes of each member, and why: the state table of SWIM with signed records and accusations.

Source: Das et al., SWIM (DSN 2002), section 4.2; Dadgar et al., Lifeguard (arXiv 1707.00788), section 4.2.

A record is signed by its owner, an accusation by its accuser. Only a record of a higher (epoch, incarnation) ends a
suspicion, a death or a departure. An accusation counts only for the incarnation of which we hold an owner's record,
so nobody can burn another's incarnations. No message makes a member dead: only our own countdown does.
"""

from dataclasses import dataclass, field

from coordinator.signed import Kind, NodeId, Signed
from node.membership.cases import Cases
from node.membership.defence import Defence
from node.membership.events import MemberChanged, MemberForgotten, Status
from node.membership.graylist import Graylist
from node.membership.intake import Intake, Rejected
from node.membership.local import Local, Spacing
from node.membership.members import Member, believed
from node.membership.records import Key, MemberRecord, Suspicion
from node.membership.revocations import Heard, RevocationList

HELD_MAX = 256
"""Accusations waiting for a record."""
FLOOD_SPACING_MS = 60_000
"""Between two notes of one member's flood."""


@dataclass(slots=True)
class Beliefs:
    local: Local
    intake: Intake
    cases: Cases
    defence: Defence
    graylist: Graylist = field(default_factory=Graylist)
    _floods: Spacing = field(default_factory=lambda: Spacing(FLOOD_SPACING_MS))
    _held: dict[tuple[NodeId, NodeId], tuple[Signed, Key, int]] = field(default_factory=dict)
    """By (target, accuser), oldest first: an accusation of a key that we do not know, until when it waits."""

    def hear(self, item: Signed, sender: NodeId) -> bool:
        """Take in one signed item. False: no more of this message is to be read.

        It is forged, and honest peers pass nothing forged on; or its sender makes us check too many signatures.
        """
        if item.kind is Kind.MEMBER and (member := self.local.members.get(item.author)) is not None:
            if member.signed == item and self.local.admit(item.author):
                self._hear_again(member, member.record, item, sender)  # it was checked when it came first
                return True
        value = self.intake.open(item, sender, self.local.now_ms, self.local.wall_ms)
        match value:
            case Rejected("too_many"):
                if self._floods.allow(self.local.now_ms, sender):
                    self.local.note("member.floods", member=sender)
                return False
            case Rejected(reason):
                self.local.note("item.rejected", reason=reason, sender=sender, author=item.author)
                self.blame(sender, reason)
                return reason != "bad_signature"
            case RevocationList():
                self._hear_revocations(value, item, sender)
            case _ if not self.local.admit(item.author):
                pass
            case MemberRecord() if item.author == self.local.node:
                self.defence.hear_record(value, sender)
            case MemberRecord():
                self._hear_record(value, item, sender)
            case Suspicion() if item.author == self.local.node:
                pass  # our own accusation comes back; we know it, and must not confirm ourselves
            case Suspicion() if value.target == self.local.node:
                self.defence.hear_accusation(value, item.author, sender)
            case Suspicion():
                self._hear_suspicion(value, item, sender)
        return True

    def blame(self, sender: NodeId, reason: str) -> None:
        """It brought an item that we reject for this reason. Only a forgery is nobody's mistake but its own."""
        if reason == "bad_signature" and self.graylist.blame(sender, self.local.now_ms):
            self.local.note("member.graylisted", member=sender)

    def due_ms(self) -> int | None:
        dues = [self.cases.due_ms(), self.defence.due_ms()]
        if self._held:
            dues.append(next(iter(self._held.values()))[2])  # all wait equally long, so the oldest is the first
        return min((due for due in dues if due is not None), default=None)

    def run(self) -> None:
        self.cases.run()
        while self._held:
            pair, held = next(iter(self._held.items()))
            if held[2] > self.local.now_ms:
                break
            del self._held[pair]
        self.defence.run()

    def forget(self, node: NodeId) -> None:
        """It is no member any more."""
        self.cases.drop(node)
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
            members.conflicts[member.node] = member.signed, item
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
        self.cases.close(member, refuted=not restarted and record.status is Status.ALIVE)
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
                self.cases.suspect(member, item.author, item)

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
                    self.cases.suspect(member, item.author, item)

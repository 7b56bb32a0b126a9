"""Who is suspected, by whom, and what comes of it: refuted, or dead when the countdown ends.

Source: Das et al., SWIM (DSN 2002), section 4.2; Dadgar et al., Lifeguard (arXiv 1707.00788), section 4.2. No message
makes a member dead: only our own countdown does.
"""

from dataclasses import dataclass, field

from coordinator.signed import NodeId, Signed
from node.membership.accusers import Accusers
from node.membership.deadlines import Deadlines
from node.membership.events import Status
from node.membership.flaps import Flaps
from node.membership.local import Local
from node.membership.members import Case, Member
from node.membership.records import AckBody
from node.membership.suspicion import Countdown


@dataclass(slots=True)
class Cases:
    local: Local
    accusers: Accusers = field(default_factory=Accusers)
    flaps: Flaps = field(default_factory=Flaps)
    _verdicts: Deadlines = field(default_factory=Deadlines)
    """When each suspicion ends, by suspect."""

    def accuse(self, member: Member) -> None:
        """Our own probe of it failed."""
        if member.live and self.local.node not in self.local.members.accusations(member.node):
            accusation = self.local.own.accuse(member.node, member.key, self.local.wall_ms)
            self.suspect(member, self.local.node, accusation)

    def suspect(self, member: Member, accuser: NodeId, accusation: Signed) -> None:
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
        return self._verdicts.next_ms()

    def run(self) -> None:
        for node in self._verdicts.take(self.local.now_ms):
            member = self.local.members.get(node)
            if member is not None:
                self._declare_dead(member)

    def drop(self, node: NodeId) -> None:
        """It is no member any more."""
        self._verdicts.drop(node)

    def close(self, member: Member, *, refuted: bool) -> None:
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

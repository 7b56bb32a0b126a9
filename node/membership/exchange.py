"""Full-state exchange: two members compare their lists, and each gets the signed items that it lacks.

It repairs what gossip missed (loss, a partition, a restart). Source: hashicorp/memberlist's push-pull, here with a
digest first, so that equal lists cost two kilobytes however long they are.
"""

from collections.abc import Container
from dataclasses import dataclass, field, replace

from coordinator.encoding import U32_MAX
from coordinator.signed import Kind, NodeId, Signed
from node.membership.beliefs import Beliefs
from node.membership.digest import (
    BUCKETS,
    LINE_SIZE,
    LISTED_MAX,
    NAME_SIZE,
    Line,
    differing,
    line_of,
    lines_in,
    mark_of,
    name_of,
    names_in,
    write_sums,
)
from node.membership.gossip import size_of
from node.membership.local import Local, Spacing
from node.membership.members import Member
from node.membership.messages import SYNC_LINES_MAX, SyncReply, SyncRequest

WANT_SPACING_MS = 100
"""A member's requests for records are answered at most this often."""
WANT_MAX = 2_048
"""Members asked for, or answered for, in one exchange."""
UNPROVEN_FACTOR = 3
"""An answer is at most this many times the request, until its receiver has answered a probe at its address: or one
member could have the others send megabytes to wherever it says that it is."""
UNPROVEN_MIN = 1_500
"""But one packet is always allowed: it holds one record at least."""
ANSWER_MAX = 4_096
"""Signatures that one full answer may make us check, beyond what its sender may otherwise."""
EXPECTED_SPACING_MS = 10_000
"""A member's answers are welcome beyond its allowance at most this often."""
OWED_MAX = 256
"""Members whose answers were cut short until they prove their address. The first give way."""
PASSED_ON_MAX = 256
"""Items waiting to be told, beyond which an answer's unknown members are not added to them. Whoever comes to a large
group hears of thousands at once, and nearly all others know them."""
MORE_MIN = 64
"""Unknown members in one answer that make another exchange worth while soon: an answer holds only so many."""
ALL = bytes(range(BUCKETS))


@dataclass(slots=True)
class Exchange:
    local: Local
    beliefs: Beliefs
    answers: Spacing
    """At most one answer per member in a while: an answer is much larger than a request."""
    wants: Spacing = field(default_factory=lambda: Spacing(WANT_SPACING_MS))
    expected: Spacing = field(default_factory=lambda: Spacing(EXPECTED_SPACING_MS))
    wants_more: bool = False
    """We have just heard of many, and so there may be more to hear of."""
    _owed: dict[NodeId, None] = field(default_factory=dict)
    _second_ms: int = 0
    _spent: int = 0
    """Bytes of answers to all members in the second that began then."""

    def request(self) -> SyncRequest:
        """Our record, and one line for everyone we know or one sum for each bucket of them."""
        own = self.local.own.signed
        if len(self.local.members) >= LISTED_MAX:
            return SyncRequest(own, sums=write_sums(self._sums()))
        return SyncRequest(own, self._lines(ALL, SYNC_LINES_MAX))

    def begin(self, node: NodeId) -> None:
        """Exchange with a member."""
        self.expect(node)
        self.local.send(node, self.request())

    def on_request(self, sender: NodeId, request: SyncRequest) -> None:
        if request.own.author != sender or request.own.kind is not Kind.MEMBER:
            return
        self.beliefs.hear(request.own, sender)
        local = self.local
        if local.members.get(sender) is None or not self.answers.allow(local.now_ms, sender):
            return
        room = self._room(sender, size_of(request.own) + len(request.lines) + len(request.sums))
        if request.sums:
            self._ask_back(sender, differing(request.sums, self._sums()), room)
            return
        theirs = {line.name: line for line in lines_in(request.lines[: SYNC_LINES_MAX * LINE_SIZE])}
        within = request.buckets or ALL
        items = self._bounded(sender, self._lacking(sender, theirs, within), room)
        names = self._wanting(sender, theirs)
        if items or names:
            self.expect(sender, len(names) // NAME_SIZE)
            local.send(sender, SyncReply(items, (), names))

    def on_reply(self, sender: NodeId, reply: SyncReply) -> None:
        if not self._hear_all(reply.items, sender):
            return
        if not (reply.want or reply.names) or not self.wants.allow(self.local.now_ms, sender):
            return
        members, own = self.local.members, self.local.own
        items: list[Signed] = []
        for node in reply.want[:WANT_MAX]:
            member = members.get(node)
            if node == own.node:
                items.append(own.signed)
            elif member is not None:
                items += members.evidence(member)
        if reply.names:
            names = frozenset(names_in(reply.names[: WANT_MAX * NAME_SIZE]))
            items += [item for line, item in self._extras() if line.name in names]
            for member in members:
                if member.name in names:
                    items += members.evidence(member)
        room = self._room(sender, len(reply.names) + sum(map(len, reply.want)))
        bounded = self._bounded(sender, items, room)
        if bounded:
            self.local.send(sender, SyncReply(bounded))

    def _hear_all(self, items: tuple[Signed, ...], sender: NodeId) -> bool:
        local = self.local
        known = len(local.members)
        try:
            for item in items:
                local.quiet = len(local.queue) >= PASSED_ON_MAX
                if not self.beliefs.hear(item, sender):
                    return False
        finally:
            local.quiet = False
        self.wants_more |= len(local.members) >= known + MORE_MIN
        return True

    def on_proven(self, node: NodeId) -> None:
        """It answered a probe where it says that it is. What it was not told for want of this comes now."""
        if node in self._owed:
            del self._owed[node]
            self.begin(node)

    def expect(self, node: NodeId, items: int = ANSWER_MAX) -> None:
        """A long answer of it is welcome."""
        if items > 0 and self.expected.allow(self.local.now_ms, node):
            self.beliefs.intake.allowance.grant(node, min(ANSWER_MAX, 2 * items), self.local.now_ms)

    def _extras(self) -> list[tuple[Line, Signed]]:
        """What the table does not hold: our own record, and the lists of revoked keys."""
        own, record = self.local.own.signed, self.local.own.record
        extras = [(line_of(own.author, record.epoch, record.incarnation, record.status.value, own.body), own)]
        for item, revocations in self.local.revocations.lists():
            line = line_of(b"revocations of " + item.author, revocations.sequence >> 32, 0, 0, item.body)
            extras.append((replace(line, incarnation=revocations.sequence & U32_MAX), item))
        return extras

    def _sums(self) -> list[int]:
        sums = list(self.local.members.sums)
        for line, _ in self._extras():
            sums[line.name[0]] ^= mark_of(line.encode())
        return sums

    def _lines(self, buckets: Container[int], count_max: int) -> bytes:
        lines = [line.encode() for line, _ in self._extras() if line.name[0] in buckets]
        lines += [member.line for member in self.local.members if member.bucket in buckets]
        return b"".join(lines[:count_max])

    def _ask_back(self, sender: NodeId, buckets: bytes, room: int) -> None:
        """Their sums differ from ours in these buckets: list what we know of them."""
        if not buckets:
            return
        own = self.local.own.signed
        fit = max(1, room - size_of(own)) // LINE_SIZE
        lines = self._lines(buckets, SYNC_LINES_MAX)
        if len(lines) > fit * LINE_SIZE:  # fewer buckets, but whole ones: what is not listed counts as not known
            self._owe(sender)
            buckets = buckets[: max(1, len(buckets) * fit * LINE_SIZE // len(lines))]
            lines = self._lines(buckets, SYNC_LINES_MAX)
        self.expect(sender)
        self.local.send(sender, SyncRequest(own, lines, buckets=buckets))

    def _lacking(self, sender: NodeId, theirs: dict[bytes, Line], within: bytes) -> list[Signed]:
        """What the asker lacks: all records before all accusations, since an accusation needs its accuser known."""
        buckets = frozenset(within)
        extras = [(line, item) for line, item in self._extras() if line.name[0] in buckets]
        records = [item for line, item in extras if _is_newer(line, theirs.get(line.name))]
        accusations: list[Signed] = []
        members = self.local.members
        for member in members:
            if member.bucket not in buckets:
                continue
            line = theirs.get(member.name)
            if member.node == sender:
                accusations += members.accusations(member.node).values()
            elif line is None or _is_newer(_line_of(member), line):
                records.append(member.signed)
                accusations += members.accusations(member.node).values()
            elif line is not None and line.incarnation == member.record.incarnation and line.rank < member.status.value:
                accusations += members.accusations(member.node).values()
        return records + accusations

    def _wanting(self, sender: NodeId, theirs: dict[bytes, Line]) -> bytes:
        """Whose newer word the asker has."""
        passed_over = (name_of(sender), name_of(self.local.node))
        ours = {line.name: line for line, _ in self._extras()}
        ours |= {member.name: _line_of(member) for member in self.local.members if member.name in theirs}
        names: list[bytes] = []
        for name, line in theirs.items():
            if name in passed_over or len(names) >= WANT_MAX:
                continue
            mine = ours.get(name)
            if mine is None or _differs(mine, line) or _is_later(line, mine):
                names.append(name)
        self.wants_more |= len(names) == WANT_MAX
        return b"".join(names)

    def _room(self, sender: NodeId, request_size: int) -> int:
        """Bytes that an answer may have."""
        local = self.local
        if local.now_ms - self._second_ms >= 1_000:
            self._second_ms, self._spent = local.now_ms, 0
        room = min(local.settings.sync_bytes_max, max(0, local.settings.sync_bytes_per_s - self._spent))
        if sender in local.members.strangers:
            room = min(room, max(UNPROVEN_MIN, UNPROVEN_FACTOR * request_size))
        return room

    def _bounded(self, sender: NodeId, items: list[Signed], room: int) -> tuple[Signed, ...]:
        for count, item in enumerate(items):
            size = size_of(item)
            if size > room:
                self._owe(sender)
                return tuple(items[:count])
            room -= size
            self._spent += size
        return tuple(items)

    def _owe(self, sender: NodeId) -> None:
        """What does not fit now goes to a stranger once it has proved its address; others get it next time."""
        if sender in self.local.members.strangers:
            self._owed[sender] = None
            if len(self._owed) > OWED_MAX:
                del self._owed[next(iter(self._owed))]
            self.local.unproven.append(sender)


def _line_of(member: Member) -> Line:
    return next(lines_in(member.line))


def _differs(mine: Line, theirs: Line) -> bool:
    """Another run of its process, of which the line does not say whether it is later; or another record of one key."""
    if mine.epoch_low != theirs.epoch_low:
        return True
    return mine.incarnation == theirs.incarnation and mine.check != theirs.check


def _is_newer(mine: Line, theirs: Line | None) -> bool:
    """Whether the owner of the other line may lack what ours stands for."""
    return theirs is None or _differs(mine, theirs) or mine.incarnation > theirs.incarnation


def _is_later(theirs: Line, mine: Line) -> bool:
    return (theirs.incarnation, theirs.rank) > (mine.incarnation, mine.rank)

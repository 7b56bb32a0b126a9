"""How members keep each other complete: who holds which records, who is behind, what one that was away must fetch."""

import random
from collections.abc import Callable, Iterable, Mapping, Sequence, Set

from coordinator.assembly import Assembly, Decided
from coordinator.effects import Effect, Note, Send, SendEntries
from coordinator.encoding import EncodingError
from coordinator.ledger.agenda import Agenda
from coordinator.ledger.checking import check_agenda
from coordinator.ledger.ledger import Ledger
from coordinator.ledger.proof import CertificateError, check_statements
from coordinator.ledger.resolution import ItemError
from coordinator.messages import DIGESTS_MAX, RECORDS_MAX, Entries, LedgerEntry, Records, Status, Want, WantEntries
from coordinator.signed import Digest, NodeId, Signed

STATUS_BUSY_MS = 1_000
"""Between two exchanges with a random member while something is open."""
STATUS_IDLE_MS = 10_000
ANSWER_MS = 300
"""A status is answered with ours unless it was sent within this time: so two members exchange once, not for ever."""
PUSH_MAX = 4 * RECORDS_MAX
"""Records given for one status; who lacks more shows it again."""
ENTRIES_WAIT_MS = 2_000
"""How long a member with a longer ledger has to bring it before it is taken to have no proof of it."""
ENTRIES_ASK_MS = 500
"""How often one member is asked for ledger entries, at most, when the last answer brought nothing."""


class CatchUp:
    """Knows what the others have shown of themselves since this node started."""

    def __init__(
        self,
        node: NodeId,
        ledger: Ledger,
        assembly: Assembly,
        held: Callable[[], Iterable[Signed]],
        verify: Callable[[Signed], bool],
        rng: random.Random,
    ) -> None:
        self._node = node
        self._ledger = ledger
        self._assembly = assembly
        self._held = held
        self._verify = verify
        self._rng = rng
        self.heights: dict[NodeId, int] = {}
        self._sent_ms: dict[NodeId, int] = {}
        self._pushed_ms: dict[NodeId, int] = {}
        self._entries_asked_ms: dict[NodeId, int] = {}
        self._lacking: dict[NodeId, set[Digest]] = {}
        """What members named that was not here, until it came. Nobody's set is larger than one message."""
        self._complete: set[NodeId] = set()
        self._behind_since: dict[NodeId, tuple[int, int]] = {}
        """Our height when a member first showed a longer ledger, and when that was."""
        self._due_ms: int | None = None

    def start(self, now_ms: int) -> None:
        self._due_ms = now_ms

    def next_deadline_ms(self) -> int | None:
        return self._due_ms

    def tick(self, seen: frozenset[NodeId], busy: bool, now_ms: int) -> list[Effect]:
        """Exchange with one random member that is reachable, when it is time."""
        if self._due_ms is None or now_ms < self._due_ms:
            return []
        self._due_ms = now_ms + (STATUS_BUSY_MS if busy else STATUS_IDLE_MS)
        effects: list[Effect] = []
        others = sorted((seen & self._ledger.roster.nodes) - {self._node})
        if others:
            member = self._rng.choice([other for other in others if other not in self._complete] or others)
            effects += self.greet([member], now_ms)
        if self._ledger.unproven:
            # Who voted may have the proof, and then says nothing more about the slot. Some it may have removed.
            voters = sorted((seen & self._ledger.roster_at(min(self._ledger.unproven)).nodes) - {self._node})
            if voters:
                effects += self._ask_entries(self._rng.choice(voters), now_ms)
        return effects

    def is_behind(self) -> bool:
        """Whether somebody has shown a longer ledger."""
        return any(height > self._ledger.height for height in self.heights.values())

    def hurry(self, now_ms: int) -> None:
        """Something is open: do not wait out an idle interval that began before."""
        if self._due_ms is not None:
            self._due_ms = min(self._due_ms, now_ms + STATUS_BUSY_MS)

    def greet(self, members: Iterable[NodeId], now_ms: int) -> list[Effect]:
        members = [member for member in members if member != self._node]
        if not members:
            return []
        statements = [record.digest() for record in self._assembly.records()][:DIGESTS_MAX]
        others = sorted({record.digest() for record in self._held()}.difference(statements))
        room = DIGESTS_MAX - len(statements)
        # When not all have room, a run of them from a random place on, the ends as often as the middle.
        start = self._rng.randrange(-room, len(others)) if len(others) > room else 0
        start = max(0, min(start, len(others) - room))
        status = Status(self._ledger.height, tuple(sorted(statements + others[start : start + room])))
        self._sent_ms.update(dict.fromkeys(members, now_ms))
        return [Send(member, status) for member in members]

    def status(self, sender: NodeId, status: Status, now_ms: int) -> list[Effect]:
        """Compare and answer: our status, what the sender lacks, and a request for what we lack."""
        effects: list[Effect] = []
        self.heights[sender] = status.height
        if now_ms >= self._sent_ms.get(sender, now_ms - ANSWER_MS) + ANSWER_MS:
            effects += self.greet([sender], now_ms)
        if status.height < self._ledger.height:
            effects.append(SendEntries(sender, status.height))
        elif status.height > self._ledger.height:
            effects += self._ask_entries(sender, now_ms)
        statements = {record.digest(): record for record in self._assembly.records()}
        others = {record.digest(): record for record in self._held()}
        held, have = {**others, **statements}, frozenset(status.have)
        if now_ms >= self._pushed_ms.get(sender, now_ms - ANSWER_MS) + ANSWER_MS:
            self._pushed_ms[sender] = now_ms
            lacks = [*_lacking(statements, have), *_lacking(_shown(others, have), have)]
            for start in range(0, min(len(lacks), PUSH_MAX), RECORDS_MAX):
                effects.append(Send(sender, Records(tuple(lacks[start : start + RECORDS_MAX]))))
        missing = {digest for digest in have if digest not in held}
        self._lacking[sender] = missing
        if missing:
            effects.append(Send(sender, Want(tuple(sorted(missing)))))
        elif not self._may_bring_entries(sender, now_ms):
            self._complete.add(sender)
        return effects

    def came(self, records: Iterable[Signed], now_ms: int) -> None:
        """Records arrived, whatever became of them: nobody has to show them to us again."""
        came = {record.digest() for record in records}
        for member in sorted(self._lacking):
            if self._lacking[member]:
                self._lacking[member] -= came
                if not self._lacking[member] and not self._may_bring_entries(member, now_ms):
                    self._complete.add(member)

    def shown(self) -> int:
        """How many other members have shown all that they hold of the slot in work since this node started."""
        return len(self._complete & self._ledger.roster.nodes)

    def entries(self, sender: NodeId, message: Entries, now_ms: int) -> list[Effect | Decided]:
        """Take ledger entries that a peer sent, each only with its proof; ask for more while that helps."""
        effects: list[Effect | Decided] = []
        before = self._ledger.height
        for offset, entry in enumerate(message.entries):
            slot = message.slot + offset
            if slot > self._ledger.height:
                break
            if slot < self._ledger.height and slot not in self._ledger.unproven:
                continue
            agenda = self._checked(slot, entry)
            if agenda is None:
                self._complete.discard(sender)
                return [*effects, Note("entries.refused", (("member", sender), ("slot", slot)))]
            effects += self._assembly.skip(agenda, entry.statements)
        if self._ledger.height > before:
            self._entries_asked_ms.pop(sender, None)
            if self.heights.get(sender, 0) > self._ledger.height:
                effects += self._ask_entries(sender, now_ms)
            else:
                effects += self.greet([sender], now_ms)
        return effects

    def _may_bring_entries(self, member: NodeId, now_ms: int) -> bool:
        """Whether this member has a longer ledger, and had no time yet to show it.

        A node with an old disk would else vote in a slot that was decided long ago, perhaps against its own word. One
        that is asked and brings nothing has no proof yet, and needs us to vote for getting it.
        """
        if self.heights[member] <= self._ledger.height:
            self._behind_since.pop(member, None)
            return False
        height, since_ms = self._behind_since.get(member, (-1, now_ms))
        if height != self._ledger.height:
            since_ms = now_ms
        self._behind_since[member] = (self._ledger.height, since_ms)
        return now_ms < since_ms + ENTRIES_WAIT_MS

    def _ask_entries(self, member: NodeId, now_ms: int) -> list[Effect]:
        if now_ms < self._entries_asked_ms.get(member, now_ms - ENTRIES_ASK_MS) + ENTRIES_ASK_MS:
            return []
        self._entries_asked_ms[member] = now_ms
        return [Send(member, WantEntries(min([self._ledger.height, *self._ledger.unproven])))]

    def _checked(self, slot: int, entry: LedgerEntry) -> Agenda | None:
        """The entry's agenda if it follows our ledger and a quorum's statements prove it; else None."""
        try:
            agenda = Agenda.decode(entry.agenda)
            if slot < self._ledger.height:
                if agenda.digest != self._ledger.unproven[slot].agenda.digest:
                    return None
            elif (agenda.header.slot, agenda.header.previous) != (slot, self._ledger.head):
                return None
            elif self._ledger.repeats(agenda):
                return None
            check_statements(agenda.header, entry.statements, self._ledger.roster_at(slot), self._verify)
            check_agenda(agenda, self._ledger, self._verify)
        except (EncodingError, CertificateError, ItemError):
            return None
        return agenda


def _shown(records: Mapping[Digest, Signed], have: Set[Digest]) -> Mapping[Digest, Signed]:
    """The records of which a status says whether its sender has them: of a full one, those in the run that it shows."""
    if len(have) < DIGESTS_MAX:
        return records
    common = have & records.keys()
    if not common:
        return {}
    first, last = min(common), max(common)
    return {digest: record for digest, record in records.items() if first < digest < last}


def _lacking(records: Mapping[Digest, Signed], have: Set[Digest]) -> Sequence[Signed]:
    return [records[digest] for digest in sorted(records.keys() - have)]

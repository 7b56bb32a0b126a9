"""What federated voting asks about agendas: are they valid, what is their union, who leads, how long to wait."""

from collections.abc import Callable, Iterable, Sequence, Set
from dataclasses import dataclass

from coordinator.encoding import EncodingError
from coordinator.ledger.accusation import fitting_evidence
from coordinator.ledger.agenda import Accusation, Agenda, ChangeItem, Item, merge_changes
from coordinator.ledger.checking import check_agenda
from coordinator.ledger.ledger import Ledger
from coordinator.ledger.resolution import ItemError
from coordinator.ledger.room import ITEM_SIZE_MAX, fitting
from coordinator.signed import Digest, NodeId, Signed
from coordinator.voting import QuorumSet, Timer, Validity, hash_priority, slice_weight

AGENDAS_KEPT = 256
"""Agendas of the slot in work that are kept without looking. Beyond it those that nobody names any more are let go."""
PATIENCE_MS = 2_000
"""How long an agenda with an item that it is too early for is waited for, before only its other items are voted for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VotingSettings:
    """Timers of federated voting. No safety rests on them."""

    timer_base_ms: int = 250
    """First wait of a nomination round or ballot."""
    timer_step_ms: int = 250
    """What each further round or counter adds."""
    timer_cap_ms: int = 30_000
    rebroadcast_ms: int = 2_000
    """How often own statements are sent again while a slot is open or unproven."""


@dataclass(slots=True)
class _Early:
    """An agenda with items that it was too early for when it was last looked at."""

    since_ms: int
    items: tuple[Item, ...]
    part: Digest | None = None
    """The agenda of its other items, once it was made."""


class AgendaDriver:
    """Holds the agendas of the slot in work by digest, and answers for them."""

    def __init__(
        self,
        node: NodeId,
        ledger: Ledger,
        verify: Callable[[Signed], bool],
        timely: Callable[[Item], bool],
        settings: VotingSettings,
    ) -> None:
        self._node = node
        self._ledger = ledger
        self._verify = verify
        self._timely = timely
        self._settings = settings
        self.now_ms = 0
        """Of the event being played."""
        self.reachable: frozenset[NodeId] = frozenset()
        self.agendas: dict[Digest, Agenda] = {}
        """Valid ones."""
        self._refused: set[Digest] = set()
        self._early: dict[Digest, _Early | None] = {}
        """By agenda, after its first look; None once it is early for none of its items, for good."""
        self._sweep_at = AGENDAS_KEPT

    def reset(self) -> None:
        """Begin a new slot."""
        self.agendas.clear()
        self._refused.clear()
        self._early.clear()
        self._sweep_at = AGENDAS_KEPT

    def knows(self, value: Digest) -> bool:
        return value in self.agendas or value in self._refused

    def add_own(self, agenda: Agenda) -> Digest:
        """Hold an agenda that was made here, of checked records."""
        self.agendas.setdefault(agenda.digest, agenda)
        return agenda.digest

    def add_bytes(self, data: bytes, wanted: Set[Digest] | None = None) -> Digest | None:
        """Take an agenda from a peer or the disk. None when it is no agenda, or when others than this one were wanted.

        Of one that is not valid only its digest is kept.
        """
        try:
            if wanted is not None and Agenda.digest_in(data) not in wanted:
                return None
            agenda = Agenda.decode(data)
        except EncodingError:
            return None
        if self.knows(agenda.digest):
            return agenda.digest
        if self._is_valid(agenda):
            self.agendas[agenda.digest] = agenda
        else:
            self._refused.add(agenda.digest)
        return agenda.digest

    def sweep_due(self) -> bool:
        return len(self.agendas) + len(self._refused) >= self._sweep_at

    def sweep(self, named: Set[Digest]) -> None:
        """Let go of what nobody names: who names ever new agendas makes us hold no more than its statements list."""
        self.agendas = {value: agenda for value, agenda in self.agendas.items() if value in named}
        self._refused &= named
        self._early = {value: early for value, early in self._early.items() if value in named}
        self._sweep_at = max(AGENDAS_KEPT, 2 * (len(self.agendas) + len(self._refused)))

    def agenda_of(
        self, items: Iterable[Item], changes: Iterable[ChangeItem] = (), evidence: Iterable[Accusation] = ()
    ) -> Agenda:
        """The next slot's agenda: one of these changes, and of these items and then evidence what there is room for."""
        ledger, change = self._ledger, merge_changes(changes)
        taken = len(change.encode()) + 4 if change else 0
        kept = fitting(items, ledger.head, taken)
        room = ITEM_SIZE_MAX - taken - sum(len(item.encode()) + 4 for item in kept)
        against = fitting_evidence(evidence, ledger, room)
        return Agenda.of(ledger.height, ledger.head, ledger.roster.epoch, kept, [change] if change else [], against)

    # What follows is the Driver protocol of coordinator.voting.

    def validate(self, slot: int, value: Digest, nomination: bool) -> Validity:
        if value in self._refused:
            return Validity.INVALID
        if value not in self.agendas:
            return Validity.MAYBE
        if not nomination:
            return Validity.FULL
        # A leader in a hurry could end a question before its members have answered. Nobody votes for that before it is
        # time. Nor may a question that only its nominator knows hold up the others for long: see `extract_valid`.
        early = self._early_items(value)
        if early is None:
            return Validity.FULL
        agenda = self.agendas[value]
        all_early = len(early.items) == len(agenda.items) and agenda.change is None
        patient = self.now_ms < early.since_ms + PATIENCE_MS
        return Validity.MAYBE if patient or all_early else Validity.INVALID

    def extract_valid(self, slot: int, value: Digest) -> Digest | None:
        """The agenda without the items that it is too early for. One with a bad item is refused as a whole."""
        agenda, early = self.agendas.get(value), self._early.get(value)
        if agenda is None or early is None:
            return None
        if early.part not in self.agendas:
            too_early = {item.id for item in early.items}
            items = tuple(item for item in agenda.items if item.id not in too_early)
            part = Agenda.of(slot, self._ledger.head, agenda.header.epoch, items, _changes(agenda), agenda.evidence)
            early.part = self.add_own(part)
        return early.part

    def combine(self, slot: int, values: Sequence[Digest]) -> Digest | None:
        if any(value not in self.agendas for value in values):
            return None
        agendas = [self.agendas[value] for value in values]
        items = [item for agenda in agendas for item in agenda.items]
        evidence = [accusation for agenda in agendas for accusation in agenda.evidence]
        changes = [change for agenda in agendas for change in _changes(agenda)]
        return self.add_own(self.agenda_of(items, changes, evidence))

    def quorum_set(self, digest: Digest) -> QuorumSet | None:
        roster = self._ledger.roster
        return roster.quorum_set if digest == roster.quorum_set_digest else None

    def weight(self, node: NodeId, quorum_set: QuorumSet) -> int:
        # Liveness may change who leads, nothing else: a dead leader then costs no timeout.
        if node != self._node and node not in self.reachable:
            return 0
        return slice_weight(node, quorum_set)

    def priority(self, slot: int, tag: int, round: int, data: bytes) -> int:  # noqa: A002
        return hash_priority(self._ledger.head, slot, tag, round, data)

    def timeout_ms(self, timer: Timer, count: int) -> int:
        settings = self._settings
        return min(settings.timer_base_ms + max(0, count - 1) * settings.timer_step_ms, settings.timer_cap_ms)

    def _early_items(self, value: Digest) -> _Early | None:
        if value not in self._early:
            self._early[value] = _Early(self.now_ms, self.agendas[value].items)
        early = self._early[value]
        if early is None:
            return None
        items = tuple(item for item in early.items if not self._timely(item))
        if not items:
            self._early[value] = None
        elif len(items) != len(early.items):
            early.items, early.part = items, None
        return self._early[value]

    def _is_valid(self, agenda: Agenda) -> bool:
        header, ledger = agenda.header, self._ledger
        if (header.slot, header.previous) != (ledger.height, ledger.head):
            return False
        if ledger.repeats(agenda):
            return False
        try:
            check_agenda(agenda, ledger, self._verify)
        except ItemError:
            return False
        return True


def _changes(agenda: Agenda) -> list[ChangeItem]:
    return [agenda.change] if agenda.change else []

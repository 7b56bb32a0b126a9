"""What federated voting asks about agendas: are they valid, what is their union, who leads, how long to wait."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from coordinator.encoding import EncodingError
from coordinator.ledger.agenda import ITEMS_MAX, Agenda, Item, merge
from coordinator.ledger.ledger import Ledger
from coordinator.ledger.resolution import ItemError, check_item
from coordinator.messages import AGENDA_SIZE_MAX
from coordinator.signed import Digest, NodeId, Signed
from coordinator.voting import QuorumSet, Timer, Validity, hash_priority, slice_weight

AGENDAS_MAX = 256
"""Agendas kept of the slot in work. Honest members name a handful; beyond this limit new ones are not kept."""
ENVELOPE_SPARE = 1_024
"""Bytes kept free in an agenda for its header and list."""


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
        self.reachable: frozenset[NodeId] = frozenset()
        self.agendas: dict[Digest, Agenda] = {}
        self._valid: dict[Digest, bool] = {}

    def reset(self) -> None:
        """Begin a new slot."""
        self.agendas.clear()
        self._valid.clear()

    def add(self, agenda: Agenda) -> Digest:
        if agenda.digest not in self.agendas and len(self.agendas) < AGENDAS_MAX:
            self.agendas[agenda.digest] = agenda
        return agenda.digest

    def add_bytes(self, data: bytes) -> Digest | None:
        """Take an agenda that a peer sent; None when it is none."""
        try:
            return self.add(Agenda.decode(data))
        except EncodingError:
            return None

    def agenda_of(self, items: Sequence[Item]) -> Agenda:
        """The next slot's agenda with these items, up to the size limit; those with the smallest ids go first."""
        size = ENVELOPE_SPARE
        fitting: list[Item] = []
        for item in merge(items)[:ITEMS_MAX]:
            size += len(item.encode()) + 8
            if size > AGENDA_SIZE_MAX and fitting:
                break
            fitting.append(item)
        return Agenda.of(self._ledger.height, self._ledger.head, 0, fitting)

    # What follows is the Driver protocol of coordinator.voting.

    def validate(self, slot: int, value: Digest, nomination: bool) -> Validity:
        agenda = self.agendas.get(value)
        if agenda is None:
            return Validity.MAYBE
        if value not in self._valid:
            self._valid[value] = self._check(agenda, slot)
        if not self._valid[value]:
            return Validity.INVALID
        # A leader in a hurry could end a question before its members have answered. Nobody votes for that before it is time.
        if nomination and not all(self._timely(item) for item in agenda.items):
            return Validity.MAYBE
        return Validity.FULL

    def extract_valid(self, slot: int, value: Digest) -> Digest | None:
        return None  # An agenda with one bad item is its nominator's fault as a whole; others nominate the good ones.

    def combine(self, slot: int, values: Sequence[Digest]) -> Digest | None:
        if any(value not in self.agendas for value in values):
            return None
        agenda = self.agenda_of([item for value in values for item in self.agendas[value].items])
        # Never refused for lack of room: our own composite has to be at hand for what we vote.
        self.agendas.setdefault(agenda.digest, agenda)
        return agenda.digest

    def quorum_set(self, digest: Digest) -> QuorumSet | None:
        genesis = self._ledger.genesis
        return genesis.quorum_set if digest == genesis.quorum_set_digest else None

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

    def _check(self, agenda: Agenda, slot: int) -> bool:
        header, ledger = agenda.header, self._ledger
        if (header.slot, header.previous, header.epoch) != (slot, ledger.head, 0) or slot != ledger.height:
            return False
        if not agenda.items or any(item.id in ledger.decided for item in agenda.items):
            return False
        try:
            for item in agenda.items:
                check_item(item, ledger.genesis, self._verify)
        except ItemError:
            return False
        return True

"""Federated voting at work: runs the slot in work, signs and saves before it sends, and collects the proof of what was decided."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from coordinator.agenda_driver import AgendaDriver, VotingSettings
from coordinator.effects import Effect, Note, SaveAgenda, SaveVoting, Send, SendEntries
from coordinator.ledger.agenda import Agenda
from coordinator.ledger.certificate import CertificateError, check_statement, check_statements
from coordinator.ledger.ledger import Ledger
from coordinator.messages import Records, Want
from coordinator.signed import Digest, Kind, NodeId, Signed, Signer
from coordinator.voting import Emit, Externalized, Slot, SlotState
from coordinator.voting import Effect as VotingEffect
from coordinator.voting.newness import contradiction, is_newer
from coordinator.voting.statement import Externalize, Nominate, Statement, decode, encode, values

HELP_INTERVAL_MS = 1_000
"""How often one member that is behind is helped, at most."""
ASK_AGAIN_MS = 500
"""How long an agenda that was asked for may take before somebody else is asked."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A checked statement, the record that it came in, and who handed it on."""

    statement: Statement
    record: Signed
    sender: NodeId

    @property
    def key(self) -> tuple[NodeId, bool]:
        """Author and protocol: of each, only the newest statement counts."""
        return self.record.author, isinstance(self.statement, Nominate)


@dataclass(frozen=True, slots=True)
class Decided:
    """For the layer above: a slot was decided, or one decided earlier has its proof now."""

    agenda: Agenda
    proven: bool


class Assembly:
    """The slot in work is `ledger.height`; it exists while something is ready here or a statement about it was heard."""

    def __init__(
        self,
        signer: Signer,
        ledger: Ledger,
        driver: AgendaDriver,
        verify: Callable[[Signed], bool],
        settings: VotingSettings,
    ) -> None:
        self._signer = signer
        self._node = signer.node
        self._ledger = ledger
        self._driver = driver
        self._verify = verify
        self._settings = settings
        self._others = tuple(member.node for member in ledger.genesis.members if member.node != self._node)
        self._slot: Slot | None = None
        self._restored: SlotState | None = None
        self._own: dict[bool, Signed] = {}
        """Our newest signed statements of the slot, by whether they nominate."""
        self._latest: dict[tuple[NodeId, bool], Heard] = {}
        """Everybody's newest statements of the slot that were counted."""
        self._waiting: dict[tuple[NodeId, bool], Heard] = {}
        """Statements that name agendas not at hand, or that came before this member may vote."""
        self._early: dict[tuple[NodeId, bool], Heard] = {}
        """Statements of the next slot: others may be one decision ahead."""
        self._saved: set[Digest] = set()
        self._asked_ms: dict[Digest, int] = {}
        self._helped_ms: dict[NodeId, int] = {}
        self._rebroadcast_at_ms: int | None = None
        self.may_vote = False
        """Set by the layer above once enough members have shown that no statement of ours is out there that we forgot."""
        self._silent_slot: int | None = None
        """A slot in which we said something that we no longer know, after a lost disk: we follow it without voting."""

    def restore(self, slot: int, state: bytes, own: Iterable[Signed], agendas: Iterable[bytes]) -> None:
        """Take up the slot in work where the disk left it."""
        assert slot == self._ledger.height, "only the slot in work is taken up"
        self._restored = SlotState.decode(state)
        self._own = {isinstance(decode(record.body), Nominate): record for record in own}
        for data in agendas:
            digest = self._driver.add_bytes(data)
            if digest is not None:
                self._saved.add(digest)

    @property
    def watching(self) -> bool:
        return not self.may_vote or self._silent_slot == self._ledger.height

    @property
    def running(self) -> bool:
        return self._slot is not None

    def records(self) -> list[Signed]:
        """The newest statements of the slot in work, and of slots that are not proven, for members that lack them."""
        others = (*self._latest.values(), *self._waiting.values(), *self._early.values())
        held = [*self._own.values(), *(heard.record for heard in others)]
        for entry in self._ledger.unproven.values():
            held += [*entry.heard, *entry.statements.values()]
        return sorted({record.digest(): record for record in held}.values(), key=Signed.digest)

    def propose(self, agenda: Agenda | None, now_ms: int) -> list[Effect | Decided]:
        """Begin the slot in work, or go on with a better own agenda; None follows the others without an own one."""
        if not self.may_vote:
            return []
        slot, resumed = self._begin(now_ms)
        value = None if agenda is None else self._driver.add(agenda)
        return self._carry_out(resumed + slot.nominate(value, now_ms), now_ms)

    def receive(self, record: Signed, sender: NodeId, now_ms: int) -> list[Effect | Decided]:
        """Take a statement of which author and signature were checked."""
        try:
            statement = decode(record.body)
        except ValueError:
            return [_note("statement.refused", record.author, "malformed")]
        if statement.node != record.author:
            return [_note("statement.refused", record.author, "wrong_author")]
        heard = Heard(statement, record, sender)
        if statement.slot < self._ledger.height:
            return self._old(heard, now_ms)
        if statement.slot > self._ledger.height:
            if statement.slot == self._ledger.height + 1:
                _keep_newest(self._early, heard)
            return []
        if record.author == self._node:
            return self._own_came_back(record)
        counted = self._latest.get(heard.key)
        if counted is not None and not is_newer(counted.statement, statement):
            against = contradiction(counted.statement, statement)
            return [_note("statement.contradiction", record.author, against)] if against else []
        _keep_newest(self._waiting, heard)
        return self._retry(now_ms)

    def look_again(self, now_ms: int) -> list[Effect | Decided]:
        """An agenda arrived, or what is timely or reachable changed."""
        effects = self._retry(now_ms)
        if self.may_vote and self._slot is None and self._restored is not None:
            effects += self.propose(None, now_ms)
        if self._slot is not None:
            effects += self._carry_out(self._slot.revalidate(now_ms), now_ms)
        return effects

    def tick(self, now_ms: int) -> list[Effect | Decided]:
        effects: list[Effect | Decided] = []
        if self._slot is not None:
            effects += self._carry_out(self._slot.step_timers(now_ms), now_ms)
        if self._rebroadcast_at_ms is not None and now_ms >= self._rebroadcast_at_ms:
            effects += self._rebroadcast(now_ms)
        return effects

    def next_deadline_ms(self) -> int | None:
        dues = [self._rebroadcast_at_ms, self._slot.next_deadline_ms() if self._slot else None]
        return min((due for due in dues if due is not None), default=None)

    def skip(self, agenda: Agenda, statements: tuple[Signed, ...]) -> list[Effect | Decided]:
        """Take a slot as decided that others have proven; the statements were checked."""
        effects: list[Effect | Decided] = []
        if agenda.header.slot == self._ledger.height:
            effects.append(self._ledger.append(agenda))
            effects.append(Decided(agenda, proven=False))
            self._next_slot()
        return effects + self._prove(agenda.header.slot, statements)

    def _begin(self, now_ms: int) -> tuple[Slot, list[VotingEffect]]:
        """The slot in work; made now, or taken up where a crash cut it off."""
        if self._slot is not None:
            return self._slot, []
        index, head, mine = self._ledger.height, self._ledger.head, self._ledger.genesis.quorum_set
        if self._restored is None:
            self._slot = Slot(self._node, index, mine, self._driver, previous=head, voting=not self.watching)
            return self._slot, []
        self._slot = Slot.restore(self._node, index, mine, self._driver, self._restored, previous=head)
        return self._slot, self._slot.resume(now_ms)

    def _retry(self, now_ms: int) -> list[Effect | Decided]:
        """Count the statements of which every agenda is at hand now; ask for the others' agendas."""
        effects: list[Effect | Decided] = []
        if not self.may_vote:
            return effects
        height = self._ledger.height
        for key in sorted(self._waiting):
            heard = self._waiting.get(key)
            if heard is None or height != self._ledger.height:
                break  # The slot was decided in between; what waited was about it.
            missing = [value for value in values(heard.statement) if value not in self._driver.agendas]
            if missing:
                effects += self._ask_agendas(heard, missing, now_ms)
                continue
            del self._waiting[key]
            if self._slot is None:
                effects += self.propose(None, now_ms)
            if self._slot is not None and height == self._ledger.height:
                self._latest[key] = heard
                effects += self._carry_out(self._slot.receive(heard.statement, now_ms), now_ms)
        return effects

    def _ask_agendas(self, heard: Heard, missing: list[Digest], now_ms: int) -> list[Effect | Decided]:
        """Ask who handed the statement on, then, when that did not help, its author, who must hold what it names."""
        first = [value for value in missing if value not in self._asked_ms]
        again = [value for value in missing if now_ms >= self._asked_ms.get(value, now_ms) + ASK_AGAIN_MS]
        self._asked_ms.update(dict.fromkeys(first + again, now_ms))
        if self._rebroadcast_at_ms is None:
            self._rebroadcast_at_ms = now_ms + self._settings.rebroadcast_ms
        asks = [(heard.sender, first), (heard.record.author, again)]
        return [Send(member, Want(tuple(wanted))) for member, wanted in asks if wanted]

    def _carry_out(self, voting: list[VotingEffect], now_ms: int) -> list[Effect | Decided]:
        """Sign, save and send what voting says, then take its decision."""
        said = [effect.statement for effect in voting if isinstance(effect, Emit)]
        effects = self._say(said, now_ms) if said else []
        for effect in voting:
            if isinstance(effect, Externalized):
                effects += self._externalized(effect.value)
        return effects

    def _say(self, statements: list[Statement], now_ms: int) -> list[Effect | Decided]:
        assert self._slot is not None
        effects: list[Effect | Decided] = []
        for statement in statements:
            record = self._signer.sign(Kind.STATEMENT, encode(statement))
            self._own[isinstance(statement, Nominate)] = record
            for value in values(statement):
                if value not in self._saved:
                    self._saved.add(value)
                    agenda = self._driver.agendas[value]
                    effects.append(SaveAgenda(self._ledger.height, value, agenda.encode()))
        own = tuple(self._own[nominates] for nominates in sorted(self._own))
        effects.append(SaveVoting(self._ledger.height, self._slot.state().encode(), own))
        self._rebroadcast_at_ms = now_ms + self._settings.rebroadcast_ms
        return effects + [Send(other, Records(own)) for other in self._others]

    def _externalized(self, value: Digest) -> list[Effect | Decided]:
        agenda = self._driver.agendas[value]
        slot = agenda.header.slot
        statements = [heard.record for heard in self._latest.values() if _externalizes(heard.statement, value)]
        statements += [record for record in self._own.values() if _externalizes(decode(record.body), value)]
        effects: list[Effect | Decided] = [self._ledger.append(agenda), Decided(agenda, proven=False)]
        self._ledger.unproven[slot].heard = tuple(heard.record for heard in self._latest.values())
        self._next_slot()
        return effects + self._prove(slot, statements)

    def _prove(self, slot: int, statements: Iterable[Signed]) -> list[Effect | Decided]:
        entry = self._ledger.unproven.get(slot)
        proof = self._ledger.prove(slot, statements)
        if proof is None:
            return []
        agenda, save = proof
        assert entry is not None
        check_statements(agenda.header, save.statements, self._ledger.genesis, self._verify)
        return [save, Decided(agenda, proven=True)]

    def _next_slot(self) -> None:
        self._slot = self._restored = None
        self._own, self._latest, self._saved, self._asked_ms = {}, {}, set(), {}
        self._waiting, self._early = self._early, {}
        self._driver.reset()

    def _old(self, heard: Heard, now_ms: int) -> list[Effect | Decided]:
        """A statement of a decided slot: it may complete the proof, or show that its author is behind."""
        statement, author = heard.statement, heard.record.author
        entry = self._ledger.unproven.get(statement.slot)
        if entry is not None and isinstance(statement, Externalize):
            try:
                check_statement(heard.record, entry.agenda.header, self._ledger.genesis, self._verify)
            except CertificateError:
                return [_note("statement.refused", author, "contradicts_decision")]
            return self._prove(statement.slot, [heard.record])
        if isinstance(statement, Externalize) or author == self._node:
            return []
        if now_ms < self._helped_ms.get(author, now_ms - HELP_INTERVAL_MS) + HELP_INTERVAL_MS:
            return []
        self._helped_ms[author] = now_ms
        if entry is None:
            return [SendEntries(author, statement.slot)]
        own = entry.statements.get(self._node)
        return [Send(author, Records((own,)))] if own else []

    def _own_came_back(self, record: Signed) -> list[Effect | Decided]:
        """A peer holds a statement of ours. One that we do not know was said before our disk was lost: then we only follow."""
        known = {own.digest() for own in self._own.values()}
        if record.digest() in known or self._silent_slot == self._ledger.height or self._is_older(record):
            return []
        self._silent_slot = self._ledger.height
        self._slot = self._restored = None
        self._waiting = {**self._latest, **self._waiting}
        return [_note("voting.forgotten", self._node, f"slot {self._ledger.height}")]

    def _is_older(self, record: Signed) -> bool:
        """Whether what we know ourselves to have said is newer than this."""
        statement = decode(record.body)
        own = self._own.get(isinstance(statement, Nominate))
        return own is not None and is_newer(statement, decode(own.body))

    def _rebroadcast(self, now_ms: int) -> list[Effect | Decided]:
        records = [self._own[nominates] for nominates in sorted(self._own)]
        for slot in sorted(self._ledger.unproven):
            own = self._ledger.unproven[slot].statements.get(self._node)
            records += [own] if own else []
        if not records and not self._waiting:
            self._rebroadcast_at_ms = None
            return []
        self._rebroadcast_at_ms = now_ms + self._settings.rebroadcast_ms
        sends: list[Effect | Decided] = [Send(other, Records(tuple(records))) for other in self._others if records]
        return sends + self._retry(now_ms)


def _keep_newest(held: dict[tuple[NodeId, bool], Heard], heard: Heard) -> None:
    """Of two that contradict each other the first stays, so that a liar cannot make a member forget."""
    before = held.get(heard.key)
    if before is None or is_newer(before.statement, heard.statement):
        held[heard.key] = heard


def _externalizes(statement: Statement, value: Digest) -> bool:
    return isinstance(statement, Externalize) and statement.commit.value == value


def _note(event: str, member: NodeId, reason: str) -> Note:
    return Note(event, (("member", member), ("reason", reason)))

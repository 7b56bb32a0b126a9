"""A whole moot on virtual time, from one seed: every member's real core, an unreliable network, disks that survive."""

import heapq
import random
from collections.abc import Callable, Sequence
from itertools import combinations

from coordinator.agenda_driver import VotingSettings
from coordinator.effects import Effect, Ended, Generate, Save, Send, SendEntries
from coordinator.events import Approved, Asked, Event, Generated, ModelFailed, Proposed, Reachable, Received, Tick
from coordinator.ledger.agenda import Agenda
from coordinator.ledger.change import Change
from coordinator.ledger.genesis import Genesis
from coordinator.ledger.resolution import Resolution, resolve
from coordinator.ledger.roster import Member
from coordinator.messages import Entries, LedgerEntry, Records
from coordinator.moot import Moot
from coordinator.records import AnswerKind, Cost, Preference, Question
from coordinator.signed import Digest, Kind, NodeId, Signed
from coordinator.voting import contradiction, decode
from node.lab.simulation.moot.disk import HostDisk
from tests.coordinator.keys import FakeSigner, FakeVerifier, found

__all__ = ["FakeSigner", "FakeVerifier", "Model", "Network", "found", "seven"]

WALL_OFFSET_MS = 1_000_000
DUE_NEVER_MS = 1 << 60
REPLY_BYTES_MAX = 1 << 20

Model = Callable[[NodeId, Generate], tuple[str, ...] | None]
"""A member's answer to a question; None when its model fails."""


def seven(_: NodeId, request: Generate) -> tuple[str, ...]:
    return ("7",) * request.samples


class Network:
    """Events in a heap of (time, number). Everything random comes from the seed."""

    def __init__(self, genesis: Genesis, model: Model, seed: int = 0, delay_ms: tuple[int, int] = (1, 20)) -> None:
        self.genesis, self.model, self.delay_ms = genesis, model, delay_ms
        self.rng = random.Random(seed)
        self.now_ms = 1_000
        self.loss = 0.0
        self.nodes: dict[NodeId, Moot] = {}
        self.disks = {member.node: HostDisk() for member in genesis.members}
        self.ids = [member.node for member in sorted(genesis.members, key=lambda member: member.name)]
        self.ended: dict[NodeId, dict[Digest, int | None]] = {node: {} for node in self.ids}
        self.sent: dict[NodeId, dict[Digest, Signed]] = {node: {} for node in self.ids}
        """Every record of its own that a member's core ever let out."""
        self.on_send: Callable[[NodeId, Send], list[Send]] = lambda _, send: [send]
        """What becomes of a message: the place of loss on purpose, and of liars."""
        self.puppets: dict[NodeId, Callable[[Received], None]] = {}
        """Members that run no core: they are seen as up, and what they receive is handed to these."""
        self.slow_ms: dict[NodeId, int] = {}
        """How much longer a member's model takes."""
        self.crash_chance = 0.0
        """How likely a member dies while it carries the effects of one step out; it comes back after a while."""
        self.crashes = 0
        self._lives = dict.fromkeys(self.ids, 0)
        self._dues: dict[NodeId, int] = {}
        self._heap: list[tuple[int, int, NodeId, int | None, Event | None]] = []
        self._number = 0

    def add(self, member: Member) -> NodeId:
        """A node that is not in the genesis: it gets a disk and a name, and runs once it is started."""
        node = member.node
        self.ids.append(node)
        self.disks[node], self.ended[node], self.sent[node], self._lives[node] = HostDisk(), {}, {}, 0
        return node

    def change(self, node: NodeId, change: Change, *approving: NodeId) -> Digest:
        """Propose a change at one member, and approve it at others once they have heard of it."""
        self._step(node, Proposed(change))
        name = Signed(Kind.CHANGE, node, change.encode(), b"").digest()
        for other in approving:
            self.approve(other, name)
        return name

    def approve(self, node: NodeId, change: Digest) -> None:
        """As soon as the member has heard of the change."""
        assert self.run(lambda: change in self.nodes[node].changes.open, 20_000), "it was never heard of"
        self._step(node, Approved(change))

    def start(self, *ids: NodeId) -> None:
        for node in ids or self.ids:
            if node not in self.puppets:
                self._start(node)
        self.see_each_other()

    def crash(self, node: NodeId) -> None:
        del self.nodes[node], self._dues[node]
        self._lives[node] += 1

    def see_each_other(self) -> None:
        """What membership would notice: who is up."""
        for node in self.nodes:
            self._push(0, node, Reachable(frozenset([*self.nodes, *self.puppets])), self._lives[node])

    def ask(
        self,
        node: NodeId,
        text: str,
        *,
        kind: AnswerKind = AnswerKind.NUMBER,
        options: tuple[str, ...] = (),
        deadline_ms: int = 5_000,
        tally: str = "",
    ) -> Digest:
        question = self.question(text, kind=kind, options=options, deadline_ms=deadline_ms, tally=tally)
        before = set(self.nodes[node].questions.sessions)
        self._step(node, Asked(question))
        [asked] = set(self.nodes[node].questions.sessions) - before if node in self.nodes else {b""}
        return asked

    def question(
        self,
        text: str,
        *,
        kind: AnswerKind = AnswerKind.NUMBER,
        options: tuple[str, ...] = (),
        deadline_ms: int = 5_000,
        tally: str = "",
    ) -> Question:
        return Question(text, kind, options, deadline_ms, tally, WALL_OFFSET_MS + self.now_ms, self.rng.randbytes(16))

    def inject(self, sender: NodeId, send: Send) -> None:
        """Send what no honest member would."""
        self._deliver(sender, send)

    def signer(self, node: NodeId) -> FakeSigner:
        return FakeSigner(node, self.genesis.moot_id)

    def run(self, until: Callable[[], bool] | None = None, for_ms: int = 60_000) -> bool:
        """Play events until the condition holds; False when the time was over before."""
        end = self.now_ms + for_ms
        while not (until is not None and until()):
            due, owner = min(((self._dues[node], node) for node in self.nodes), default=(DUE_NEVER_MS, b""))
            if self._heap and self._heap[0][0] <= min(max(due, self.now_ms), end):
                at, _, node, life, event = heapq.heappop(self._heap)
                self.now_ms = max(self.now_ms, at)
                if event is None:
                    self._start(node)
                    self.see_each_other()
                elif node in self.puppets and isinstance(event, Received):
                    self.puppets[node](event)
                elif node in self.nodes and life in (None, self._lives[node]):
                    self._step(node, event)
            elif due >= end:
                self.now_ms = end
                return until is None
            else:
                self.now_ms = max(self.now_ms, due)
                self._step(owner, Tick())
        return True

    def decided(self, question: Digest, nodes: Sequence[NodeId] | None = None) -> bool:
        return all(self.ended[node].get(question) is not None for node in nodes or list(self.nodes))

    def resolution(self, node: NodeId, question: Digest) -> Resolution:
        slot = self.ended[node][question]
        assert slot is not None
        agenda = Agenda.decode(self.disks[node].entries[slot][0])
        roster = self.nodes[node].ledger.roster_at(slot)
        return resolve(next(item for item in agenda.items if item.id == question), roster)

    def entry(self, node: NodeId, slot: int) -> LedgerEntry:
        return LedgerEntry(*self.disks[node].entries[slot])

    def check_agreement(self, *liars: NodeId) -> None:
        disks = [disk for node, disk in self.disks.items() if node not in liars]
        for one, other in combinations(disks, 2):
            for (mine, _), (theirs, _) in zip(one.entries, other.entries, strict=False):
                assert mine == theirs, "two members decided different agendas for a slot"

    def check_words(self, *liars: NodeId) -> None:
        """No honest member ever contradicted itself, whenever it crashed."""
        for node in self.ids:
            if node in liars:
                continue
            records = self.sent[node].values()
            statements = [decode(record.body) for record in records if record.kind is Kind.STATEMENT]
            for one, other in combinations(statements, 2):
                assert contradiction(one, other) is None, (one, other)
            named = [Preference.decode(one.body).question for one in records if one.kind is Kind.PREFERENCE]
            assert len(named) == len(set(named)), "two preferences about one question"

    def _start(self, node: NodeId) -> None:
        self.nodes[node] = core = Moot(
            signer=self.signer(node),
            verifier=FakeVerifier(self.genesis.moot_id),
            genesis=self.genesis,
            settings=VotingSettings(),
            rng=random.Random(self.rng.random()),
            wall_offset_ms=WALL_OFFSET_MS,
            restored=self.disks[node].restored(),
            now_ms=self.now_ms,
        )
        self._perform(node, core.start(self.now_ms))
        self._note_due(node)

    def _step(self, node: NodeId, event: Event) -> None:
        self._perform(node, self.nodes[node].step(event, self.now_ms))
        self._note_due(node)

    def _note_due(self, node: NodeId) -> None:
        if node in self.nodes:
            due = self.nodes[node].next_deadline_ms()
            assert due is None or due > self.now_ms, "a deadline in the past would fire for ever"
            self._dues[node] = DUE_NEVER_MS if due is None else due

    def _perform(self, node: NodeId, effects: Sequence[Effect]) -> None:
        """As a node does it: all saves at once, then the rest in order. A crash comes before the saves, or later."""
        rest = [effect for effect in effects if not isinstance(effect, Save)]
        dies = bool(self.crash_chance) and self.rng.random() < self.crash_chance
        carried_out = self.rng.randint(-1, len(rest)) if dies else len(rest)
        if carried_out >= 0:
            for effect in effects:
                if isinstance(effect, Save):
                    self.disks[node].save([effect])
        for effect in rest[: max(0, carried_out)]:
            self._carry_out(node, effect)
        if dies:
            self.crashes += 1
            self._dues.setdefault(node, DUE_NEVER_MS)
            self.crash(node)
            self._push(self.rng.randint(10, 1_500), node, None)
            self.see_each_other()

    def _carry_out(self, node: NodeId, effect: Effect) -> None:
        match effect:
            case Send(_, message):
                if isinstance(message, Records):
                    own = [record for record in message.records if record.author == node]
                    self.sent[node].update({record.digest(): record for record in own})
                for send in self.on_send(node, effect):
                    self._deliver(node, send)
            case SendEntries(to, slot, until):
                proven = self.disks[node].proven_from(
                    slot, 3 if until is None else min(3, until - slot), REPLY_BYTES_MAX
                )
                if proven:
                    self._carry_out(node, Send(to, Entries(slot, proven)))
            case Generate(question):
                self._generate(node, effect, question)
            case Ended(question, slot):
                self.ended[node][question] = slot
            case _:
                pass

    def _generate(self, node: NodeId, request: Generate, question: Digest) -> None:
        texts = self.model(node, request)
        event: Event = ModelFailed(question, "down")
        if texts is not None:
            cost = Cost(len(texts), len(request.prompt), sum(map(len, texts)), 1_000)
            event = Generated(question, texts, b"m" * 32, request.seed, 700, cost)
        delay_ms = self.rng.randint(2, 30) + self.slow_ms.get(node, 0)
        self._push(delay_ms, node, event, self._lives[node])

    def _deliver(self, sender: NodeId, send: Send) -> None:
        if self.rng.random() >= self.loss:
            self._push(self.rng.randint(*self.delay_ms), send.to, Received(sender, send.message))

    def _push(self, delay_ms: int, node: NodeId, event: Event | None, life: int | None = None) -> None:
        """Queue an event. None starts the node; one of a life is lost with it."""
        self._number += 1
        heapq.heappush(self._heap, (self.now_ms + delay_ms, self._number, node, life, event))

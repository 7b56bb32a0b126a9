"""The open questions of one member: taking and passing on what is asked, answering it, keeping what others say."""

from collections.abc import Iterable, Iterator
from hashlib import sha256

from coordinator.answers import count, prompt_for
from coordinator.effects import Dropped, Effect, ForgetRecords, Generate, Note, Progress, SaveRecord, Send
from coordinator.encoding import EncodingError
from coordinator.events import Generated
from coordinator.ledger.ledger import Ledger
from coordinator.messages import Records
from coordinator.records import Cost, Preference, Proposal, Question, QuestionError
from coordinator.session import Session
from coordinator.signed import Digest, Kind, NodeId, Signed, Signer
from coordinator.tally import is_counted, rule

OPEN_MAX = 1_000
"""Open questions at one time. Every member has its share of them, which nobody else can take."""
OPEN_PER_ASKER_MAX = 200
"""The largest share; more questions are refused until some have ended."""
LATE_SLACK_MS = 30_000
"""Clock difference between two machines that is taken for none. Beyond it a question looks over before it came."""


class OpenQuestions:
    """Records come here with their signature and author checked."""

    def __init__(self, signer: Signer, ledger: Ledger, wall_offset_ms: int) -> None:
        self._signer = signer
        self._node = signer.node
        self._ledger = ledger
        self.wall_offset_ms = wall_offset_ms
        """Wall clock minus monotonic clock; set by the layer above when it changes."""
        self.sessions: dict[Digest, Session] = {}
        self.touched: dict[Digest, None] = {}
        """Questions that are new or have new records; the layer above takes them off when it has looked."""

    @property
    def share(self) -> int:
        """How many questions of one asker may be open."""
        return max(1, min(OPEN_PER_ASKER_MAX, OPEN_MAX // len(self._ledger.roster.members)))

    @property
    def _others(self) -> list[NodeId]:
        return [node for node in self._ledger.roster.by_node if node != self._node]

    def restore(self, records: Iterable[Signed], now_ms: int) -> None:
        """Take back what the disk held of open questions."""
        held = tuple(records)
        for record in held:
            if record.kind is Kind.QUESTION:
                self._open(record, Question.decode(record.body), now_ms)
        for record in held:
            if record.kind is not Kind.QUESTION:
                session = self.sessions.get(_opinion_of(record).question)
                if session is not None:
                    session.add(record)
        for session in self.sessions.values():
            session.judge_by(self._ledger.roster)

    def take_roster(self) -> list[Effect]:
        """Go on by the roster that holds now: drop what was asked by those who left, let a new member answer the rest.

        A question that spans a change is decided by the roster of the slot that decides it; and who is no member may
        not ask, whenever it began to.
        """
        roster, effects = self._ledger.roster, list[Effect]()
        for name in sorted(self.sessions):
            session = self.sessions[name]
            session.judge_by(roster)
            self.touched[name] = None
            if session.record.author in roster.nodes:
                effects += self._answer(session)
            else:
                del self.sessions[name]
                effects += [ForgetRecords((name,)), Dropped(session.item())]
        return effects

    def resume(self) -> list[Effect]:
        """Answer what was open and not answered yet."""
        return [effect for name in sorted(self.sessions) for effect in self._answer(self.sessions[name])]

    def held(self) -> Iterator[Signed]:
        for session in self.sessions.values():
            yield from session.records()

    def ask(self, question: Question, now_ms: int) -> list[Effect]:
        if self._node not in self._ledger.roster.nodes:
            raise QuestionError("this node is not in the moot's roster: it may follow, and not ask; see: moot roster")
        refusal = self._no_room(self._node)
        if refusal:
            raise QuestionError(refusal)
        record = self._signer.sign(Kind.QUESTION, question.encode())
        return self.question(record, None, now_ms)

    def question(self, record: Signed, sender: NodeId | None, now_ms: int) -> list[Effect]:
        """Open a session for a question not seen before, and pass it on: from now on its asker may die."""
        question_id = record.digest()
        if question_id in self.sessions or question_id in self._ledger.decided:
            return []
        try:
            question = Question.decode(record.body)
        except EncodingError:
            return [Note("record.refused", (("sender", sender or self._node), ("kind", record.kind.value)))]
        refusal = self._no_room(record.author)
        if refusal or (question.tally and rule(question.tally) is None):
            return [Note("question.refused", (("author", record.author), ("reason", refusal or "unknown tally")))]
        session = self._open(record, question, now_ms)
        passed_on = [Send(node, Records((record,))) for node in self._others if node not in (sender, record.author)]
        return [
            SaveRecord(question_id, record),
            Progress(question_id, "asked", record.author),
            *passed_on,
            *self._answer(session),
        ]

    def opinion(self, record: Signed) -> list[Effect]:
        """Take a proposal or preference about an open question. One that is early is fetched again by its digest."""
        try:
            opinion = _opinion_of(record)
        except EncodingError:
            return [Note("record.refused", (("sender", record.author), ("kind", record.kind.value)))]
        session = self.sessions.get(opinion.question)
        if session is None:
            return []
        points = opinion.samples if isinstance(opinion, Proposal) else sum(given for _, given in opinion.points)
        if points > self._ledger.roster.charter.samples:
            return [Note("record.refused", (("sender", record.author), ("kind", record.kind.value)))]
        if not session.add(record):
            return []
        self.touched[session.id] = None
        step = "proposed" if record.kind is Kind.PROPOSAL else "preferred"
        return [SaveRecord(session.id, record), Progress(session.id, step, record.author)]

    def generated(self, event: Generated) -> list[Effect]:
        session = self.sessions.get(event.question)
        if session is None or not self.is_unanswered(event.question):
            return []  # Decided without us, or this member has abstained since: what was said stands.
        counts = count(session.question, event.texts)
        proposal = Proposal(
            session.id, counts, len(event.texts), event.model, event.seed, event.temperature_milli, event.cost
        )
        preference = Preference(session.id, counts, Cost())
        return self._publish(
            session,
            self._signer.sign(Kind.PROPOSAL, proposal.encode()),
            self._signer.sign(Kind.PREFERENCE, preference.encode()),
        )

    def abstain(self, question: Digest) -> list[Effect]:
        session = self.sessions.get(question)
        if session is None or not self.is_unanswered(question):
            return []
        return self._publish(session, self._signer.sign(Kind.PREFERENCE, Preference(question, (), Cost()).encode()))

    def is_unanswered(self, question: Digest) -> bool:
        """Whether the model's answer is still of use: the question is open, and this member has not preferred."""
        session = self.sessions.get(question)
        if session is None or self._node not in self._ledger.roster.nodes:
            return False
        return session.own(Kind.PREFERENCE, self._node) is None

    def _answer(self, session: Session) -> list[Effect]:
        """Let the model answer, unless this member has answered or it is too late."""
        if not self.is_unanswered(session.id) or session.generating:
            return []
        if session.late:
            return [Note("question.late", (("question", session.id),)), *self.abstain(session.id)]
        proposal = session.own(Kind.PROPOSAL, self._node)
        if proposal is not None:  # The node died between the two: the preference follows from the proposal.
            counts = Proposal.decode(proposal.body).counts
            preference = Preference(session.id, counts, Cost()).encode()
            return self._publish(session, self._signer.sign(Kind.PREFERENCE, preference))
        if not is_counted(session.question.tally, self._node):
            return self.abstain(session.id)  # At once: the model of a member that is not counted need not work.
        session.generating = True
        seed = int.from_bytes(sha256(session.id + self._node).digest()[:4], "big")
        return [Generate(session.id, prompt_for(session.question), self._ledger.roster.charter.samples, seed)]

    def _publish(self, session: Session, *records: Signed) -> list[Effect]:
        """Keep own records, then send them: what was sent is never contradicted after a crash."""
        effects: list[Effect] = []
        self.touched[session.id] = None
        for record in records:
            session.add(record)
            step = "proposed" if record.kind is Kind.PROPOSAL else "preferred"
            effects += [SaveRecord(session.id, record), Progress(session.id, step, self._node)]
        return effects + [Send(node, Records(records)) for node in self._others]

    def _open(self, record: Signed, question: Question, now_ms: int) -> Session:
        over_ms = question.asked_ms + question.deadline_ms + LATE_SLACK_MS
        late = now_ms + self.wall_offset_ms > over_ms
        deadline_at_ms = now_ms if late else now_ms + question.deadline_ms
        session = Session(record, question, deadline_at_ms, late)
        self.sessions[session.id] = session
        self.touched[session.id] = None
        return session

    def _no_room(self, asker: NodeId) -> str | None:
        if sum(session.record.author == asker for session in self.sessions.values()) >= self.share:
            return f"{self.share} questions of one asker are open; ask again when some have ended"
        return None


def _opinion_of(record: Signed) -> Proposal | Preference:
    return (Proposal if record.kind is Kind.PROPOSAL else Preference).decode(record.body)

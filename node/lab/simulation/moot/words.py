"""What one honest member says in its whole life, restarts included: saved before it is sent, and never contradicted."""

from coordinator.encoding import EncodingError
from coordinator.messages import MootMessage, Records
from coordinator.records import Preference, Proposal
from coordinator.signed import Digest, Kind, NodeId, Signed
from coordinator.voting import INFINITY, BallotStatement, Externalize, Nominate, Statement, contradiction, decode
from node.lab.simulation.history import History
from node.lab.simulation.moot.disk import HostDisk
from node.lab.simulation.outcome import Violated


class Words:
    """H1 and H2. Of a member whose disk forgot, only that it does not contradict what others heard of it."""

    def __init__(self, node: NodeId) -> None:
        self._node = node
        self._history = History(node)
        self._said: dict[Digest, Signed] = {}
        """In its whole life."""
        self._saying: set[bytes] = set()
        """Signatures of what this process has said."""
        self._opinions: dict[tuple[Kind, Digest], Digest] = {}
        self._statements: dict[int, list[tuple[Signed, Statement]]] = {}
        self.counters: dict[int, int] = {}
        """The highest ballot counter named in each slot."""
        self._last: MootMessage | None = None

    def started(self) -> None:
        self._saying = set()

    def sends(self, message: MootMessage, disk: HostDisk, forgetful: bool) -> list[tuple[Signed, Signed]]:
        """Look at a message that is about to leave. Most go to several peers, and are looked at once.

        Returns:
            What a member whose disk forgot says now, and said otherwise before.
        """
        if message is self._last or not isinstance(message, Records):
            return []
        self._last = message
        against: list[tuple[Signed, Signed]] = []
        for record in message.records:
            if record.author == self._node and record.signature not in self._saying:
                against += self._says(record, disk, forgetful)
        return against

    def _says(self, record: Signed, disk: HostDisk, forgetful: bool) -> list[tuple[Signed, Signed]]:
        digest = record.digest()
        if digest not in disk.written and not (forgetful and digest in self._said):  # Others may bring its word back.
            raise Violated("saved-first", f"{self._node.hex()[:8]} sends a {record.kind.value} that is not on its disk")
        self._saying.add(record.signature)
        if digest in self._said:
            return []
        self._said[digest] = record
        if record.kind is Kind.STATEMENT:
            return self._states(record, forgetful)
        if record.kind in (Kind.PROPOSAL, Kind.PREFERENCE):
            self._prefers(record, forgetful)
        return []

    def _states(self, record: Signed, forgetful: bool) -> list[tuple[Signed, Signed]]:
        statement = decode(record.body)
        self._count(statement)
        before = self._statements.setdefault(statement.slot, [])
        before.append((record, statement))
        if not forgetful:
            self._history.say(statement)
            return []
        return [(old, record) for old, said in before[:-1] if contradiction(said, statement) is not None]

    def _count(self, statement: Statement) -> None:
        match statement:
            case Nominate() | Externalize():
                return
            case _:
                counter = _counter(statement)
        if counter < INFINITY:  # What an externalized value is confirmed with, and no count of ballots.
            self.counters[statement.slot] = max(counter, self.counters.get(statement.slot, 0))

    def _prefers(self, record: Signed, forgetful: bool) -> None:
        try:
            opinion = (Proposal if record.kind is Kind.PROPOSAL else Preference).decode(record.body)
        except EncodingError as error:
            raise Violated("validity", f"{self._node.hex()[:8]} signs what cannot be read: {error}") from error
        first = self._opinions.setdefault((record.kind, opinion.question), record.digest())
        if first != record.digest() and not forgetful:
            raise Violated("history", f"{self._node.hex()[:8]} signs two {record.kind.value}s about one question")


def _counter(statement: BallotStatement) -> int:
    return 0 if isinstance(statement, Externalize) else statement.ballot.counter

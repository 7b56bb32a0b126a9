"""What happened in a run, to read: what members said in the papers' letters, among crashes, cuts and decisions."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from enum import Enum

from coordinator.effects import SaveEntry, Send
from coordinator.events import Received
from coordinator.messages import Records
from coordinator.signed import Kind, Signed
from coordinator.voting import Ballot, Confirm, Externalize, Nominate, Prepare, Statement, decode
from node.lab.simulation.keys import Keyring
from node.lab.simulation.plan import Plan
from node.lab.simulation.watch import Told, Watch

LAST = 200
"""Events of each node that a failure leaves behind."""
HEX_SHOWN = 8
VOTING = ("says", "hears", "decides")
LETTERS_MAX = 64
"""Values up to this length that can be printed are shown as they are."""


@dataclass(frozen=True, slots=True)
class Word:
    """One line of a slot's story: what a node said, heard or decided, or what befell it."""

    at_ms: int
    node: int
    verb: str
    about: str
    to: tuple[str, ...] = ()
    """Who is told the same at the same time."""


class Reader:
    """Knows the nodes of one plan by number, and which of them lie."""

    def __init__(self, plan: Plan) -> None:
        self._liars = {liar.node for liar in plan.liars}
        ids = Keyring(plan.seed, plan.nodes, ed25519=plan.ed25519).ids
        self._names = {node: self._marked(number) for number, node in enumerate(ids)}
        width = len(str(plan.nodes - 1))
        self._names |= {f"n{number:0{width}}".encode(): self._marked(number) for number in range(plan.nodes)}

    def line(self, word: Word) -> str:
        """A liar's name carries a mark."""
        who = "" if word.node < 0 else self._marked(word.node)
        to = f"to {' '.join(word.to)}: " if word.to else ""
        return f"{word.at_ms:>9,} ms  {who:<4} {word.verb:<8} {to}{word.about}".rstrip()

    def plainly(self, told: Told) -> Word:
        """All that was told, in short."""
        return Word(told.at_ms, told.node, told.what, " ".join(filter(None, map(self.shown, told.parts))))

    def words(self, told: Told, slot: int) -> Iterator[Word]:
        """What of it is about voting on this slot, or befell a node or the network."""
        match told.parts:
            case (Nominate() | Prepare() | Confirm() | Externalize() as statement,) if statement.slot == slot:
                yield Word(told.at_ms, told.node, told.what, self._said(statement, told.what == "hears"))
            case (Received(message=Records(records)),):
                for statement in _statements(records, slot):
                    yield Word(told.at_ms, told.node, "hears", self._said(statement, True))
            case (Send(to=to, message=Records(records)),):
                for statement in _statements(records, slot):
                    by_another = self.name(statement.node) != self._marked(told.node)
                    yield Word(told.at_ms, told.node, "says", self._said(statement, by_another), (self.name(to),))
            case (SaveEntry(slot=decided, digest=digest),):
                if decided == slot:
                    yield Word(told.at_ms, told.node, "decides", self.name(digest))
            case _ if told.slot is None or (told.slot == slot and told.what not in ("event", "effect")):
                yield self.plainly(told)
            case _:
                pass

    def shown(self, part: object) -> str:
        match part:
            case Nominate() | Prepare() | Confirm() | Externalize():
                return self.statement(part)
            case Signed(kind=Kind.STATEMENT, author=author, body=body):
                try:
                    return f"{self.name(author)} {self.statement(decode(body))}"
                except ValueError:
                    return f"{self.name(author)} no statement"
            case bytes():
                return self.name(part)
            case None:
                return ""
            case Enum():
                return part.name.lower()
            case tuple() | list():
                return "[" + " ".join(self.shown(one) for one in part) + "]"
            case Ballot():
                return self.ballot(part)
            case _ if is_dataclass(part) and not isinstance(part, type):
                values = ((field.name, getattr(part, field.name)) for field in fields(part))
                parts = (f"{name}={self.shown(value)}" for name, value in values if value is not None)
                return f"{type(part).__name__}({' '.join(parts)})"
            case _:
                return str(part)

    def statement(self, statement: Statement) -> str:
        """As in the papers: X and Y of a nomination; b, p, p′, and n of c and h."""
        match statement:
            case Nominate(votes=votes, accepted=accepted):
                return f"NOMINATE X={self._values(votes)} Y={self._values(accepted)}"
            case Prepare(ballot=b, prepared=p, prepared_prime=q, n_c=c, n_h=h):
                return f"PREPARE b={self.ballot(b)} p={self.ballot(p)} p′={self.ballot(q)} c={c} h={h}"
            case Confirm(ballot=b, n_p=p, n_c=c, n_h=h):
                return f"CONFIRM b={self.ballot(b)} p={p} c={c} h={h}"
            case Externalize(commit=c, n_h=h):
                return f"EXTERNALIZE c={self.ballot(c)} h={h}"

    def ballot(self, ballot: Ballot | None) -> str:
        return "-" if ballot is None else f"({ballot.counter},{self.name(ballot.value)})"

    def name(self, data: bytes) -> str:
        """A node by its number, letters as they are, a digest by its beginning."""
        known = self._names.get(data)
        if known is not None:
            return known
        if len(data) <= LETTERS_MAX and data.isascii() and data.decode("ascii").isprintable():
            return data.decode("ascii")
        return data.hex()[:HEX_SHOWN]

    def _values(self, values: Iterable[bytes]) -> str:
        return "{" + ",".join(map(self.name, values)) + "}"

    def _said(self, statement: Statement, by_another: bool) -> str:
        return f"{self.name(statement.node)} {self.statement(statement)}" if by_another else self.statement(statement)

    def _marked(self, number: int) -> str:
        return f"n{number}!" if number in self._liars else f"n{number}"


def head(plan: Plan) -> Iterator[str]:
    """Who takes part, and which of them lie how."""
    yield f"{plan.scenario}, seed {plan.seed}: {plan.members} members, n0 to n{plan.members - 1}"
    for liar in plan.liars:
        yield f"  n{liar.node}! lies: {liar.kind}"


def of_slot(plan: Plan, watch: Watch, slot: int) -> Iterator[str]:
    """The story of one slot, and of what befell nodes and network meanwhile. What is only repeated is left out."""
    yield from head(plan)
    reader = Reader(plan)
    words = list(_new(_together(word for told in watch.told for word in reader.words(told, slot))))
    spoken = [place for place, word in enumerate(words) if word.verb in VOTING]
    if not spoken:
        yield f"nothing was said about slot {slot}"
        return
    yield from map(reader.line, words[spoken[0] : spoken[-1] + 1])


def of_end(plan: Plan, watch: Watch, last: int = LAST) -> Iterator[str]:
    """The last events of each node, all in one order of time."""
    yield from head(plan)
    kept: dict[int, deque[int]] = {}
    for place, told in enumerate(watch.told):
        kept.setdefault(told.node, deque(maxlen=last)).append(place)
    reader = Reader(plan)
    for place in sorted(place for places in kept.values() for place in places):
        yield reader.line(reader.plainly(watch.told[place]))


def _statements(records: Iterable[Signed], slot: int) -> Iterator[Statement]:
    for record in records:
        if record.kind is Kind.STATEMENT:
            try:
                statement = decode(record.body)
            except ValueError:  # A liar's: nobody counts it.
                continue
            if statement.slot == slot:
                yield statement


def _together(words: Iterable[Word]) -> Iterator[Word]:
    """What is said to one after another at one time becomes one line."""
    waiting: dict[tuple[int, int, str], Word] = {}
    for word in words:
        key = word.at_ms, word.node, word.about
        if word.verb == "says" and word.to:
            before = waiting.get(key)
            if before is None:
                waiting[key] = word
            elif not set(word.to) <= set(before.to):
                waiting[key] = replace(before, to=(*before.to, *word.to))
            continue
        yield from waiting.values()
        waiting.clear()
        yield word
    yield from waiting.values()


def _new(words: Iterable[Word]) -> Iterator[Word]:
    """Without what a node says or hears once more, unless it has started anew since."""
    known: dict[int, set[tuple[str, str]]] = {}
    for word in words:
        if word.verb not in VOTING:
            known.pop(word.node, None)
        elif (word.verb, word.about) in known.setdefault(word.node, set()):
            continue
        else:
            known[word.node].add((word.verb, word.about))
        yield word

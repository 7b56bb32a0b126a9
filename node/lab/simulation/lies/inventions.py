"""Liars whose statements no honest member would make: far counters, floods, nonsense, other slots, or none at all."""

from collections.abc import Iterator

from coordinator.signed import NodeId
from coordinator.voting import INFINITY, VALUES_MAX, Ballot, Confirm, Externalize, Nominate, Prepare, Statement
from coordinator.voting.says import value_of
from coordinator.voting.statement import SLOT_MAX
from node.lab.simulation.lies.voice import Coreless, Head, Voice

FAR_COUNTERS = (1_000_000, INFINITY - 1, INFINITY)
FLOOD_STEP = 8
"""How many more values each nomination of a flood names."""
FLOODS_PER_SECOND_MAX = 6
"""All members look at all of the values each time: more would only make a run slow."""


class Silent(Coreless):
    """Says nothing."""

    def __init__(self, voice: Voice) -> None:
        pass

    def hear(self, statement: Statement) -> None:
        pass


class Jumper(Coreless):
    """Is at counters that nobody will ever reach, with the value of whom it hears."""

    def __init__(self, voice: Voice) -> None:
        self._voice = voice

    def hear(self, statement: Statement) -> None:
        voice, rng = self._voice, self._voice.rng
        if not voice.listen(statement):
            return
        value = voice.value(statement.slot) if isinstance(statement, Nominate) else value_of(statement)
        head, far = voice.head(statement.slot), Ballot(rng.choice(FAR_COUNTERS), value)
        n = far.counter
        lies: tuple[Statement, ...] = (
            Prepare(*head, far),
            Prepare(*head, far, far),
            Prepare(*head, far, far, None, 1, n),
            Confirm(*head, far, n, 1, n),
            Confirm(*head, far, n, n, n),
            Externalize(*head, Ballot(1, value), n),
        )
        # The milder lies more often: after a late kind no earlier one counts any more.
        lie = lies[min(rng.randrange(len(lies)), rng.randrange(len(lies)))]
        for member in voice.others:
            voice.say(member, lie)


class FarCommitter(Coreless):
    """Helps to a commit, then tells each member that has accepted it, and no other, that it commits a far ballot.

    Who has accepted to commit one ballot votes for all later ones, so that this could look like a quorum's word.
    """

    def __init__(self, voice: Voice) -> None:
        self._voice = voice

    def hear(self, statement: Statement) -> None:
        voice = self._voice
        if not voice.listen(statement):
            return
        head = voice.head(statement.slot)
        if isinstance(statement, Confirm):
            far = Ballot(voice.rng.choice(FAR_COUNTERS), statement.ballot.value)
            n = far.counter
            voice.say(statement.node, Confirm(*head, far, n, n, n))
        elif isinstance(statement, Prepare):
            ballot = statement.ballot
            n = ballot.counter if statement.n_c else 0
            voice.say(statement.node, Prepare(*head, ballot, ballot, None, min(n, statement.n_c), n))


class NominationFlood(Coreless):
    """Nominates ever new values, others to each member; when its statement is full, it begins anew."""

    def __init__(self, voice: Voice) -> None:
        self._voice = voice
        self._votes: dict[NodeId, tuple[int, tuple[bytes, ...]]] = {}
        self._second = self._floods = 0

    def hear(self, statement: Statement) -> None:
        voice, slot = self._voice, statement.slot
        second = voice.stage.now_ms // 1_000
        self._floods = self._floods + 1 if second == self._second else 1
        self._second = second
        if self._floods > FLOODS_PER_SECOND_MAX:
            return
        for member in voice.others:
            before_slot, before = self._votes.get(member, (slot, ()))
            kept = before if before_slot == slot and len(before) < VALUES_MAX else ()
            new = sorted({voice.values.invented(slot) for _ in range(FLOOD_STEP)}.difference(kept))
            votes = tuple(sorted([*kept, *new[: VALUES_MAX - len(kept)]]))
            self._votes[member] = slot, votes
            voice.say(member, Nominate(*voice.head(slot), votes, votes if voice.rng.random() < 0.5 else ()))


def unsound(head: Head, value: bytes, other: bytes) -> Iterator[Statement]:
    """Statements that break one rule each of what makes a statement sane."""
    low, high = sorted((value, other + b"z"))
    one, two = Ballot(1, low), Ballot(2, high)
    many = tuple(b"v%03d" % n for n in range(VALUES_MAX + 1))
    yield Nominate(*head, (), ())
    yield Nominate(*head, (high, low), ())
    yield Nominate(*head, (low, low), (low,))
    yield Nominate(*head, many, ())
    yield Nominate(*head, (b"",), ())
    yield Prepare(*head, Ballot(0, low))
    yield Prepare(*head, Ballot(INFINITY + 1, low))
    yield Prepare(*head, two, one, two)  # p′ above p
    yield Prepare(*head, two, two, Ballot(1, high))  # p′ of the same value
    yield Prepare(*head, one, None, None, 1, 1)  # h without p
    yield Prepare(*head, one, two, None, 2, 1)  # c above h
    yield Prepare(*head, one, two, None, 1, 2)  # h above b
    yield Confirm(*head, one, 1, 2, 1)
    yield Confirm(*head, one, 1, 1, 2)
    yield Confirm(*head, one, -1, 0, 0)
    yield Externalize(*head, two, 1)
    yield Externalize(*head, Ballot(1, b"x" * 9_000), 1)


class Unsound(Coreless):
    """Says what is no sane statement, or names quorum sets that are not its own or nobody's."""

    def __init__(self, voice: Voice) -> None:
        self._voice = voice
        self._digests = [voice.rng.randbytes(32)]
        self._digests += [voice.stage.quorum_sets[node].digest() for node in voice.others]

    def hear(self, statement: Statement) -> None:
        voice, slot = self._voice, statement.slot
        if not voice.listen(statement):
            return
        node, _, own = voice.head(slot)
        value = voice.value(slot)
        lies = list(unsound((node, slot, own), value, voice.value(slot, other_than=value)))
        one = Ballot(1, value)
        for digest in (self._digests[0], voice.rng.choice(self._digests)):
            head = node, slot, digest
            lies += [Nominate(*head, (value,), (value,)), Prepare(*head, one, one), Confirm(*head, one, 1, 1, 1)]
            lies += [Externalize(*head, one, 1)]
        lies.append(Nominate(node, slot, b"short", (value,), ()))
        for lie in voice.rng.sample(lies, 4):
            voice.say(statement.node, lie)


class OtherSlots(Coreless):
    """Is where nobody is: decides slots that are over, next, or at the end of time."""

    def __init__(self, voice: Voice) -> None:
        self._voice = voice

    def hear(self, statement: Statement) -> None:
        voice, rng = self._voice, self._voice.rng
        if not voice.listen(statement):
            return
        near = [max(0, statement.slot - 1), statement.slot + 1, statement.slot + 2, statement.slot + 100]
        slot = rng.choice([*near, 0, SLOT_MAX])
        value = voice.value(statement.slot)
        head, one = voice.head(slot), Ballot(1, value)
        lies: tuple[Statement, ...] = (
            Nominate(*head, (value,), (value,)),
            Prepare(*head, one, one, None, 1, 1),
            Confirm(*head, one, 1, 1, 1),
            Externalize(*head, one, 1),
        )
        voice.say(statement.node, rng.choice(lies))

"""Liars that tell each member what it would like to hear: of all lies about statements the most effective one."""

from coordinator.signed import NodeId
from coordinator.voting import (
    INFINITY,
    VALUES_MAX,
    Ballot,
    Confirm,
    Externalize,
    Nominate,
    Prepare,
    Statement,
    is_newer,
)
from coordinator.voting.says import value_of, working_counter
from coordinator.voting.statement import values
from node.lab.simulation.lies.voice import Coreless, Head, Voice


def agreeing(head: Head, said: Statement) -> Statement:
    """The next thing that the author of `said` waits to hear from others: that they accept what it votes for."""
    match said:
        case Nominate():
            named = values(said)[:VALUES_MAX]
            return Nominate(*head, named, named)
        case Prepare(ballot=b, n_c=n_c, n_h=n_h) if n_c:
            return Confirm(*head, b, b.counter, n_c, n_h)
        case Prepare(ballot=b, prepared=p) if p is not None and p.covers(b):
            return Prepare(*head, b, b, None, b.counter, b.counter)
        case Prepare(ballot=b):
            return Prepare(*head, b, b)
        case Confirm(ballot=b, n_c=n_c, n_h=n_h):
            return Externalize(*head, Ballot(max(1, n_c), b.value), max(1, n_h))
        case Externalize(commit=c, n_h=n_h):
            return Externalize(*head, c, n_h)


def committing(head: Head, ballot: Ballot) -> Confirm:
    """The claim to accept this ballot as committed."""
    n = ballot.counter
    return Confirm(*head, ballot, n, n, n)


class Flattery:
    """Agreement with one member after another, each time so that its newest statement counts for it."""

    def __init__(self, voice: Voice) -> None:
        self._voice = voice
        self._last: dict[tuple[NodeId, bool], Statement] = {}

    def agree(self, said: Statement) -> None:
        """Tell the author of `said` that its wish is fulfilled."""
        lie = agreeing(self._voice.head(said.slot), said)
        key = said.node, isinstance(said, Nominate)
        last = self._last.get(key)
        if last is not None and last.slot == said.slot and not is_newer(last, lie):
            if not isinstance(lie, Prepare):
                return
            lie = committing(self._voice.head(said.slot), lie.ballot)  # After a CONFIRM no PREPARE counts any more.
            if not is_newer(last, lie):
                return
        self._last[key] = lie
        self._voice.say(said.node, lie)


class Mirror(Coreless):
    """Accepts for each member whatever that member prefers now."""

    def __init__(self, voice: Voice) -> None:
        self._flattery = Flattery(voice)

    def hear(self, statement: Statement) -> None:
        self._flattery.agree(statement)


class MixedMirror(Coreless):
    """Mostly agrees with whom it hears; now and then it tells somebody what another said, with any force."""

    def __init__(self, voice: Voice) -> None:
        self._voice = voice

    def hear(self, statement: Statement) -> None:
        voice, rng = self._voice, self._voice.rng
        if not voice.listen(statement):
            return
        model = statement if rng.random() < 0.7 else rng.choice(voice.heard)
        to = statement.node if rng.random() < 0.8 else rng.choice(voice.others)
        voice.say(to, self._like(model))

    def _like(self, said: Statement) -> Statement:
        head, rng = self._voice.head(said.slot), self._voice.rng
        if isinstance(said, Nominate):
            named = values(said)[:VALUES_MAX]
            return Nominate(*head, named, named if rng.random() < 0.7 else ())
        # Infinity is what one that has decided is at, and no ballot to vote for.
        known = said.commit.counter if isinstance(said, Externalize) else working_counter(said)
        low = max(1, min(known, INFINITY - 1))
        high = min(low + rng.choice((0, 0, 0, 1, 2, 1_000)), INFINITY)
        ballot = Ballot(high, value_of(said))
        roll = rng.random()
        if roll < 0.35:
            return Prepare(*head, ballot, ballot)
        if roll < 0.6:
            return Prepare(*head, ballot, ballot, None, low, high)
        if roll < 0.9:
            return Confirm(*head, ballot, high, low, high)
        return Externalize(*head, Ballot(low, ballot.value), high)


class TwoFaced:
    """Honest to one half of the members, a mirror to the other half."""

    runs_core = True

    def __init__(self, voice: Voice) -> None:
        self._flattery = Flattery(voice)
        self.flattered = frozenset(voice.rng.sample(voice.others, len(voice.others) // 2))

    def hear(self, statement: Statement) -> None:
        if statement.node in self.flattered:
            self._flattery.agree(statement)

    def alter(self, to: NodeId, statement: Statement) -> list[Statement]:
        return [] if to in self.flattered else [statement]


class CommitChaser(Coreless):
    """Claims to commit what a member works on, and tells somebody else that it commits another value."""

    def __init__(self, voice: Voice) -> None:
        self._voice = voice

    def hear(self, statement: Statement) -> None:
        voice, rng = self._voice, self._voice.rng
        if not voice.listen(statement):
            return
        if isinstance(statement, Nominate):
            voice.say(statement.node, agreeing(voice.head(statement.slot), statement))
            return
        value, counter = value_of(statement), max(1, min(working_counter(statement), INFINITY - 1))
        self._claim(statement.node, statement.slot, Ballot(counter, value))
        others = [node for node in voice.others if node != statement.node]
        if others:
            rival = voice.value(statement.slot, other_than=value)
            self._claim(rng.choice(others), statement.slot, Ballot(counter, rival))

    def _claim(self, to: NodeId, slot: int, ballot: Ballot) -> None:
        head = self._voice.head(slot)
        if self._voice.rng.random() < 0.8:
            self._voice.say(to, committing(head, ballot))
        else:
            self._voice.say(to, Externalize(*head, ballot, ballot.counter))

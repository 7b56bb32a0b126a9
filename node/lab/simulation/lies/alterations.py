"""Liars with an honest core: what it says is changed, kept back, repeated, or told to some only."""

from collections import deque
from dataclasses import fields, replace
from typing import Any

from coordinator.signed import NodeId
from coordinator.voting import INFINITY, Ballot, Confirm, Externalize, Nominate, Prepare, Statement, growing_timeout_ms
from coordinator.voting.says import working_counter
from node.lab.simulation.lies.voice import Voice

SAID_KEPT = 200


class SilentToSome:
    """Some members never hear from it."""

    runs_core = True

    def __init__(self, voice: Voice) -> None:
        count = voice.rng.randint(1, max(1, len(voice.others) - 1))
        self.shunned = frozenset(voice.rng.sample(voice.others, count))

    def hear(self, statement: Statement) -> None:
        pass

    def alter(self, to: NodeId, statement: Statement) -> list[Statement]:
        return [] if to in self.shunned else [statement]


class Mutator:
    """Changes one field of half of its statements, and signs the result."""

    runs_core = True

    def __init__(self, voice: Voice) -> None:
        self._voice = voice

    def hear(self, statement: Statement) -> None:
        self._voice.listen(statement)

    def alter(self, to: NodeId, statement: Statement) -> list[Statement]:
        if self._voice.rng.random() < 0.5:
            return [statement]
        return [self._mutated(statement)]

    def _mutated(self, statement: Statement) -> Statement:
        name = self._voice.rng.choice([field.name for field in fields(statement) if field.name != "node"])
        changes: dict[str, Any] = {name: self._other(name, getattr(statement, name), statement)}
        changed: Statement = replace(statement, **changes)
        return changed

    def _other(self, name: str, old: Any, statement: Statement) -> object:
        rng, slot = self._voice.rng, statement.slot
        match name:
            case "slot":
                return max(0, slot + rng.choice((-1, 1)))
            case "quorum_set":
                return rng.randbytes(32)
            case "votes" | "accepted":
                kept = [value for value in old if rng.random() < 0.7]
                return tuple(sorted({*kept, self._voice.value(slot)}))
            case "n_p" | "n_c" | "n_h":
                return rng.choice((0, 1, old + 1, max(0, old - 1), INFINITY))
            case _:
                return self._other_ballot(name, old, slot)

    def _other_ballot(self, name: str, old: Ballot | None, slot: int) -> Ballot | None:
        rng = self._voice.rng
        if old is None:
            return Ballot(1, self._voice.value(slot))
        if name != "ballot" and rng.random() < 0.3 and name.startswith("prepared"):
            return None
        if rng.random() < 0.5:
            return Ballot(max(1, old.counter + rng.choice((-1, 1, 5))), old.value)
        return Ballot(old.counter, self._voice.value(slot, other_than=old.value))


class Replayer:
    """Repeats old statements of its own, of this slot and of earlier ones, after each new one."""

    runs_core = True

    def __init__(self, voice: Voice) -> None:
        self._voice = voice
        self._said: deque[Statement] = deque(maxlen=SAID_KEPT)

    def hear(self, statement: Statement) -> None:
        if self._said and self._voice.rng.random() < 0.3:
            self._voice.say(statement.node, self._voice.rng.choice(self._said))

    def alter(self, to: NodeId, statement: Statement) -> list[Statement]:
        rng = self._voice.rng
        old = [rng.choice(self._said) for _ in range(rng.randrange(3)) if self._said and self._voice.may_say()]
        if not self._said or self._said[-1] != statement:
            self._said.append(statement)
        return [*old, statement] if rng.random() < 0.5 else [statement, *old]


class Withholder:
    """Keeps what it accepts to itself until others are about to give the ballot up."""

    runs_core = True

    def __init__(self, voice: Voice) -> None:
        self._voice = voice
        self._first_ms = voice.rng.choice((240, 480, 960))
        """Just below the first timeout that members may have; which one they have, it does not know."""
        self._kept: dict[tuple[NodeId, bool], Statement] = {}

    def hear(self, statement: Statement) -> None:
        pass

    def alter(self, to: NodeId, statement: Statement) -> list[Statement]:
        if not _accepts(statement):
            return [statement]
        key = to, isinstance(statement, Nominate)
        if key not in self._kept:
            count = 1 if isinstance(statement, Nominate) else min(working_counter(statement), 30)
            self._voice.stage.after(growing_timeout_ms(count, self._first_ms, 8_000), lambda: self._release(key))
        self._kept[key] = statement
        return []

    def _release(self, key: tuple[NodeId, bool]) -> None:
        self._voice.say(key[0], self._kept.pop(key))


def _accepts(statement: Statement) -> bool:
    match statement:
        case Nominate(accepted=accepted):
            return bool(accepted)
        case Prepare(prepared=p):
            return p is not None
        case Confirm() | Externalize():
            return True


class Recoverer:
    """Stops for a while, again and again, and comes back with what it said first, like one that lost its memory."""

    runs_core = True

    def __init__(self, voice: Voice) -> None:
        self._voice = voice
        self._up = True
        self._until_ms = 0
        self._first: dict[NodeId, Statement] = {}

    def hear(self, statement: Statement) -> None:
        pass

    def alter(self, to: NodeId, statement: Statement) -> list[Statement]:
        now_ms, rng = self._voice.stage.now_ms, self._voice.rng
        first = self._first.get(to)
        if first is None or first.slot != statement.slot:
            first = self._first[to] = statement
        if now_ms >= self._until_ms:
            self._up = not self._up
            self._until_ms = now_ms + rng.randint(100, 3_000)
            if self._up:
                return [first]
        return [statement] if self._up else []


class SetChanger:
    """Says the right things in the name of quorum sets that are not its own: another's, or nobody's."""

    runs_core = True

    def __init__(self, voice: Voice) -> None:
        self._voice = voice
        sets = voice.stage.quorum_sets
        self._digests = sorted({sets[node].digest() for node in voice.others} | {voice.rng.randbytes(32)})

    def hear(self, statement: Statement) -> None:
        pass

    def alter(self, to: NodeId, statement: Statement) -> list[Statement]:
        if self._voice.rng.random() < 0.3:
            return [statement]
        return [replace(statement, quorum_set=self._voice.rng.choice(self._digests))]

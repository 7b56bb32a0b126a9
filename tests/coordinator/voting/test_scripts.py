"""Conversations with one slot, every effect of every event on record; the node under test is v0.

quorum set 4 of v0 v1 v2 v3 v4      the node starts anew
leaders v1 v0                       who leads round 1, round 2 …
value x maybe                       what the driver says of x from now on; `value x invalid e`: e is its variation
nominate x                          start, proposing x; `nominate` proposes nothing
bump x                              a ballot with x, whatever is running
12: NOMINATE x,y accepts x          heard from v1, then from v2
12: PREPARE 2x p=2x p'=1y c=1 h=2   and so on for CONFIRM 2x p=2 c=1 h=2 and EXTERNALIZE 1x h=2
timeout ballot                      the timer runs out, when it is due
revalidate / restart / show
"""

import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from coordinator.voting import (
    INFINITY,
    Befouled,
    CancelTimer,
    Effect,
    Emit,
    Externalized,
    HeardFromQuorum,
    Ignored,
    LeadersChosen,
    NewCandidate,
    NewComposite,
    Nominate,
    QuorumSet,
    SetTimer,
    Statement,
    Timer,
    Validity,
)
from tests.coordinator.voting.world import FIVE, Node, nominate, statement, written
from tests.datadriven import run_script

SCRIPTS = sorted((Path(__file__).parents[2] / "testdata" / "voting").glob("*.txt"))


def in_words(said: Statement) -> str:
    """A statement as the commands have it."""
    if not isinstance(said, Nominate):
        return written(said)
    votes, accepted = (b",".join(values).decode() for values in (said.votes, said.accepted))
    return f"NOMINATE {votes}" + (f" accepts {accepted}" if accepted else "")


def as_written(counter: int) -> str:
    return "inf" if counter == INFINITY else str(counter)


def told(effect: Effect) -> str:
    match effect:
        case Emit(statement=said):
            return f"emit {in_words(said)}"
        case SetTimer(timer=timer, at_ms=at_ms):
            return f"arm {timer.value} at {at_ms}"
        case CancelTimer(timer=timer):
            return f"disarm {timer.value}"
        case Externalized(value=value, n_c=n_c, n_h=n_h):
            return f"decide {value.decode()}, committed {as_written(n_c)}..{as_written(n_h)}"
        case HeardFromQuorum(counter=counter):
            return f"heard from a quorum at {counter}"
        case LeadersChosen(round=number, leaders=leaders):
            return f"round {number}, led by {b' '.join(leaders).decode()}"
        case NewCandidate(value=value):
            return f"candidate {value.decode()}"
        case NewComposite(value=value):
            return f"composite {value.decode()}"
        case Befouled(value=value):
            return f"befouled by {value.decode()}"
        case Ignored(reason=reason):
            return f"ignored: {reason}"


class Script:
    """Executes the commands above."""

    def __init__(self) -> None:
        self.node = Node()

    def execute(self, command: str) -> list[str]:
        match command.split():
            case ["quorum", "set", threshold, "of", *members]:
                self.node = Node(QuorumSet(int(threshold), tuple(map(str.encode, members))))
                return []
            case ["leaders", *leaders]:
                self.node.driver.leader = {n: leader.encode() for n, leader in enumerate(leaders, start=1)}
                return []
            case ["value", value, validity, *variation]:
                self.node.driver.validity[value.encode()] = Validity(validity)
                self.node.driver.extracted |= {value.encode(): other.encode() for other in variation}
                return []
            case ["restart"]:
                self.node = self.node.restarted()
                return self._told(self.node.slot.resume(self.node.now_ms))
            case ["show"]:
                return self._shown()
        return self._told(self._effects(command))

    def _effects(self, command: str) -> Sequence[Effect]:
        node = self.node
        if heard := re.fullmatch(r"(\d+): (.*)", command):
            return [effect for digit in heard[1] for effect in self._heard(int(digit), heard[2])]
        match command.split():
            case ["nominate", *value]:
                return node.slot.nominate(value[0].encode() if value else None, node.now_ms)
            case ["bump", value]:
                return node.slot.bump(value.encode(), node.now_ms, force=True)
            case ["revalidate"]:
                return node.slot.revalidate(node.now_ms)
            case ["timeout", timer]:
                due = node.slot.next_deadline_ms()
                assert due is not None, "no timer runs"
                node.now_ms = due
                return node.slot.fire(Timer(timer), due)
        raise AssertionError(f"no such command: {command}")

    def _heard(self, peer: int, text: str) -> Sequence[Effect]:
        quorum_set = self.node.quorum_set
        if named := re.fullmatch(r"NOMINATE ([\w,]*)(?: accepts ([\w,]+))?", text):
            votes, accepted = (part.replace(",", "") for part in named.groups(default=""))
            said = nominate(peer, votes, accepted, quorum_set)
            return self.node.slot.receive(said, self.node.now_ms)
        return self.node.slot.receive(statement(FIVE[peer], text, quorum_set), self.node.now_ms)

    def _told(self, effects: Sequence[Effect]) -> list[str]:
        return [told(effect) for effect in effects]

    def _shown(self) -> list[str]:
        slot = self.node.slot
        ballots = {"b": slot.b, "p": slot.p, "p'": slot.p_prime, "c": slot.c, "h": slot.h}
        lists = {"votes": slot.voted, "accepted": slot.accepted, "candidates": slot.candidates}
        z = slot.value_override
        return [
            " ".join([f"{name}={b','.join(values).decode() or '-'}" for name, values in lists.items()]),
            " ".join(
                [slot.phase.value, *(f"{k}={as_written(b.counter)}{b.value.decode()}" for k, b in ballots.items() if b)]
            )
            + (f" z={z.decode()}" if z else ""),
        ]


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_script(path: Path, rewrite: bool) -> None:
    """A slot says something else than it did. If that is meant, record it with --rewrite and read the difference."""
    run_script(path, Script().execute, rewrite=rewrite)


def test_there_are_scripts() -> None:
    assert len(SCRIPTS) >= 5

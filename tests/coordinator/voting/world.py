"""What the tests of federated voting share: a driver whose answers a test can set, and scripts of a conversation.

A script has one line per event and what the node under test, v0, does about it:

    12: PREPARE 2x p=1x        => PREPARE 2x p=1x p'=1a timer

Left: digits are the peers that say this one after the other, or `start x`, `bump x`, `timeout`, `revalidate`. Right:
the statement emitted (`-` for none; of several senders only the last may cause one), `timer` if the ballot timer runs
afterwards, and `decides x`. Values are letters, ballots a counter and a letter; `inf` is INFINITY.
"""

import re
from collections.abc import Sequence

from hypothesis import HealthCheck, settings

from coordinator.voting import (
    INFINITY,
    Ballot,
    BallotStatement,
    Confirm,
    Effect,
    Emit,
    Externalize,
    Externalized,
    Ignored,
    Nominate,
    Prepare,
    QuorumSet,
    Slot,
    Statement,
    Timer,
    Validity,
    growing_timeout_ms,
    hash_priority,
    slice_weight,
)

UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a busy machine is no failure
SLOT = 7
PREVIOUS = b"the decision before"
FIVE = tuple(b"v%d" % n for n in range(5))
CORE5 = QuorumSet(4, FIVE)  # v-blocking: two; a quorum: v0 and three others, or the four others


class ScriptedDriver:
    """Everything is valid, the composite is the greatest candidate, and all know the quorum sets given."""

    def __init__(self, *quorum_sets: QuorumSet) -> None:
        self.known = {q.digest(): q for q in quorum_sets}
        self.validity: dict[bytes, Validity] = {}
        self.extracted: dict[bytes, bytes] = {}
        self.combinable = True
        self.weights: dict[bytes, int] = {}
        self.leader: dict[int, bytes] = {}  # by round; where absent, the hash decides

    def validate(self, slot: int, value: bytes, nomination: bool) -> Validity:
        return self.validity.get(value, Validity.FULL)

    def extract_valid(self, slot: int, value: bytes) -> bytes | None:
        return self.extracted.get(value)

    def combine(self, slot: int, values: Sequence[bytes]) -> bytes | None:
        assert list(values) == sorted(set(values)), "candidates come sorted, each once"
        return max(values) if self.combinable else None

    def quorum_set(self, digest: bytes) -> QuorumSet | None:
        return self.known.get(digest)

    def weight(self, node: bytes, quorum_set: QuorumSet) -> int:
        return self.weights.get(node, slice_weight(node, quorum_set))

    def priority(self, slot: int, tag: int, round: int, data: bytes) -> int:  # noqa: A002
        if round in self.leader and data in FIVE:
            return 1 if data == self.leader[round] else 0  # everybody is a neighbor; one has a priority
        return hash_priority(PREVIOUS, slot, tag, round, data)

    def timeout_ms(self, timer: Timer, count: int) -> int:
        return growing_timeout_ms(count, 1_000, 30_000)


def emitted(effects: Sequence[Effect]) -> list[Statement]:
    return [e.statement for e in effects if isinstance(e, Emit)]


def decided(effects: Sequence[Effect]) -> list[bytes]:
    return [e.value for e in effects if isinstance(e, Externalized)]


def ignored(effects: Sequence[Effect]) -> str | None:
    """Why the statement was ignored, or None where it was played."""
    return next((e.reason for e in effects if isinstance(e, Ignored)), None)


def nominate(node: int, votes: str, accepted: str = "", quorum_set: QuorumSet = CORE5) -> Nominate:
    """Values are letters, in any order."""
    votes_, accepted_ = (tuple(sorted(letter.encode() for letter in letters)) for letters in (votes, accepted))
    return Nominate(FIVE[node], SLOT, quorum_set.digest(), votes_, accepted_)


def ballot(text: str) -> Ballot:
    counter, value = text[:-1], text[-1]
    return Ballot(INFINITY if counter == "inf" else int(counter), value.encode())


def counter(text: str) -> int:
    return INFINITY if text == "inf" else int(text)


def statement(node: bytes, text: str, quorum_set: QuorumSet = CORE5) -> BallotStatement:
    """`PREPARE 2x p=2x p'=1y c=1 h=2`, `CONFIRM 2x p=2 c=1 h=2` or `EXTERNALIZE 1x h=2`; what is left out is unset."""
    kind, first, *rest = text.split()
    given = dict(part.split("=") for part in rest)
    head = node, SLOT, quorum_set.digest(), ballot(first)
    n_c, n_h = (counter(given.get(letter, "0")) for letter in "ch")
    if kind == "PREPARE":
        p, q = (ballot(given[name]) if name in given else None for name in ("p", "p'"))
        return Prepare(*head, p, q, n_c, n_h)
    if kind == "CONFIRM":
        return Confirm(*head, counter(given["p"]), n_c, n_h)
    assert kind == "EXTERNALIZE", kind
    return Externalize(*head, n_h)


def written(said: Statement) -> str:
    """The text of a statement, as `statement` reads it."""

    def number(n: int) -> str:
        return "inf" if n == INFINITY else str(n)

    def name(b: Ballot) -> str:
        return number(b.counter) + b.value.decode()

    match said:
        case Nominate():
            return f"NOMINATE {b''.join(said.votes).decode()} {b''.join(said.accepted).decode()}".rstrip()
        case Prepare(ballot=b, prepared=p, prepared_prime=q, n_c=n_c, n_h=n_h):
            text = f"PREPARE {name(b)}" + (f" p={name(p)}" if p else "") + (f" p'={name(q)}" if q else "")
            return text + (f" c={number(n_c)}" if n_c else "") + (f" h={number(n_h)}" if n_h else "")
        case Confirm(ballot=b, n_p=n_p, n_c=n_c, n_h=n_h):
            return f"CONFIRM {name(b)} p={number(n_p)} c={number(n_c)} h={number(n_h)}"
        case Externalize(commit=c, n_h=n_h):
            return f"EXTERNALIZE {name(c)} h={number(n_h)}"


def with_value(value: str, script: str) -> str:
    """The script with `value` in the place of m."""
    return re.sub(r"(\d|start |bump )m\b", rf"\g<1>{value}", script)


class Node:
    """v0 of five, with threshold 4 unless told otherwise, and a clock that a script moves."""

    def __init__(self, quorum_set: QuorumSet = CORE5, slot: Slot | None = None, *, voting: bool = True) -> None:
        self.driver = ScriptedDriver(quorum_set)
        self.quorum_set = quorum_set
        self.slot = slot or Slot(FIVE[0], SLOT, quorum_set, self.driver, previous=PREVIOUS, voting=voting)
        self.now_ms = 0

    def restarted(self) -> "Node":
        """The node after a crash: only what it saved is left."""
        after = Node(self.quorum_set)
        after.driver, after.now_ms = self.driver, self.now_ms
        voting = self.slot.voting
        after.slot = Slot.restore(
            FIVE[0], SLOT, self.quorum_set, self.driver, self.slot.state(), previous=PREVIOUS, voting=voting
        )
        return after

    def hears(self, peer: int, text: str) -> list[Effect]:
        return self.slot.receive(statement(FIVE[peer], text, self.quorum_set), self.now_ms)

    def play(self, script: str) -> None:
        """Run a script and compare every line with what happens."""
        for line in filter(None, (line.split("#")[0].strip() for line in script.splitlines())):
            event, _, expected = (part.strip() for part in line.partition("=>"))
            happened = self._happened(event)
            assert happened == " ".join(expected.split()), f"{event} => {happened}, not {expected}"

    def _happened(self, event: str) -> str:
        effects: list[Effect] = []
        peers = re.fullmatch(r"(\d+): (.*)", event)
        if peers:
            *first, last = (int(digit) for digit in peers[1])
            for peer in first:
                early = self.hears(peer, peers[2])
                assert not emitted(early), f"{event}: v{peer} already causes {written(emitted(early)[0])}"
                assert ignored(early) is None, f"{event}: v{peer} was ignored: {ignored(early)}"
            effects = self.hears(last, peers[2])
        else:
            effects = self._own_event(*event.split())
        said = [written(s) for s in emitted(effects)]
        assert len(said) <= 1, said
        reason = ignored(effects)
        timer = ["timer"] if self.slot.next_deadline_ms() is not None else []
        outcome = [f"decides {value.decode()}" for value in decided(effects)]
        return " ".join([*(said or [f"ignored: {reason}" if reason else "-"]), *timer, *outcome])

    def _own_event(self, kind: str, value: str = "") -> list[Effect]:
        match kind:
            case "start":
                return self.slot.bump(value.encode(), self.now_ms)
            case "bump":
                return self.slot.bump(value.encode(), self.now_ms, force=True)
            case "timeout":
                due = self.slot.next_deadline_ms()
                assert due is not None, "no timer runs"
                self.now_ms = due
                return self.slot.fire(Timer.BALLOT, due)
            case "revalidate":
                return self.slot.revalidate(self.now_ms)
        raise AssertionError(f"no such event: {kind}")

"""What must hold between all honest members of a run of slots: agreement, validity, and an end."""

from collections.abc import Iterable, Mapping, Sequence

from coordinator.voting import BallotStatement, Externalize, QuorumSet
from node.lab.simulation.outcome import Violated
from node.lab.simulation.slots.letters import SPOILED, union
from node.lab.simulation.slots.member import SlotsMember
from node.lab.simulation.slots.shapes import can_decide

COUNTERS_MAX = 10  # ballots that a slot may take once nothing goes wrong any more


class Bench:
    """All that honest members decided, and all that anybody nominated."""

    def __init__(self, quorum_sets: Mapping[bytes, QuorumSet], honest: Sequence[SlotsMember]) -> None:
        self.decided: dict[int, bytes] = {}
        self.began_ms: dict[int, int] = {}
        self.counts = {"ballots": 0, "stalled": 0}
        self._quorum_sets = quorum_sets
        self._honest = honest
        self._took_ms: dict[int, int] = {}
        self._nominated: dict[int, set[int]] = {}
        self._ballots: dict[int, tuple[int, int, int]] = {}
        """By member: slot, counter, and how often it has risen in this slot since all is well."""

    def took_ms(self) -> tuple[int, ...]:
        """From the first member that began each slot to the first that decided it."""
        return tuple(self._took_ms[slot] for slot in sorted(self._took_ms))

    def nominated(self, slot: int, values: Iterable[bytes]) -> None:
        self._nominated.setdefault(slot, set()).update(*values)

    def decide(self, node: bytes, slot: int, value: bytes, now_ms: int) -> None:
        """Raises Violated where another honest member decided differently, or nobody can have meant it."""
        if slot not in self.decided:
            self._took_ms[slot] = now_ms - self.began_ms.get(slot, now_ms)
        first = self.decided.setdefault(slot, value)
        if first != value:
            raise Violated("agreement", f"slot {slot}: {node!r} decides {value!r}, another had decided {first!r}")
        if SPOILED in value or union([value]) != value or not self._nominated.get(slot, set()).issuperset(value):
            raise Violated("validity", f"slot {slot}: {node!r} decides {value!r}, which is invalid or nobody nominated")

    def count_ballots(self, number: int, statement: BallotStatement, *, healed: bool) -> None:
        """Raises Violated where ballot follows ballot though nothing goes wrong any more."""
        if isinstance(statement, Externalize) or statement.ballot.counter == 1:
            return
        slot, counter, rises = self._ballots.get(number, (-1, 0, 0))
        if slot == statement.slot and statement.ballot.counter <= counter:
            return
        self.counts["ballots"] += 1
        rises = rises + 1 if slot == statement.slot and healed else 1
        self._ballots[number] = statement.slot, statement.ballot.counter, rises
        if rises > COUNTERS_MAX and all(member.node != statement.node for member in self._stuck()):
            raise Violated("livelock", f"{statement.node!r} is at {statement.ballot} though nothing goes wrong")

    def judge_undecided(self, slots: int) -> None:
        """Raises Violated where somebody has not decided all, and could have."""
        stuck = self._stuck()
        late = [member for member in self._honest if len(member.disk.ledger) < slots and member not in stuck]
        if late:
            story = "; ".join(member.story() for member in self._honest)
            raise Violated("undecided", f"{late[0].node!r} though nothing goes wrong any more: {story}")
        self.counts["stalled"] = 1

    def _stuck(self) -> list[SlotsMember]:
        """Those for whom too few can vote where they are.

        Who lost its disk does not vote where it may have voted, who is stuck itself does not come to where it may vote,
        and liars stay silent.
        """
        stuck: list[SlotsMember] = []
        for slot in sorted({len(member.disk.ledger) for member in self._honest}):
            voters = [member.node for member in self._honest if member.votes_in(slot) and member not in stuck]
            here = [member for member in self._honest if len(member.disk.ledger) == slot]
            stuck += [m for m in here if not can_decide(self._quorum_sets, voters, m.decides_with(slot))]
        return stuck

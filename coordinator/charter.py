"""The rules of a moot that its members agreed on, and what follows from them."""

from dataclasses import dataclass

from coordinator.encoding import Reader, Writer
from coordinator.ledger.room import members_max
from coordinator.records import DEADLINE_MS_MAX, SAMPLES_MAX
from coordinator.tally import RULES
from coordinator.voting.quorum import byzantine_threshold


@dataclass(frozen=True, slots=True, kw_only=True)
class Charter:
    """Every number is part of the moot's id: members with different rules are in different moots."""

    threshold: int
    """Members that make a quorum. More than two thirds, so that any two quorums share an honest member."""
    turnout: int
    """Members that must have answered; with fewer a question ends without an answer."""
    samples: int = 5
    """Independent answers that each model gives, and the points that each member has to spread."""
    deadline_ms: int = 20_000
    """Time to answer, unless the question says otherwise."""
    grace_ms: int = 1_000
    """How long a quorum of preferences waits for the stragglers."""
    tally: str = "points"
    """The voting rule, unless the question names another. Hearing one member alone is for single questions."""

    def problems(self, members: int) -> list[str]:
        """What is wrong with these rules in a moot of `members`; empty when they work."""
        found = []
        least = byzantine_threshold(members)
        if not least <= self.threshold <= members:
            found.append(f"threshold = {self.threshold}: must be {least} to {members} for {members} members")
        if not 1 <= self.turnout <= members:
            found.append(f"turnout = {self.turnout}: must be 1 to {members}")
        if not 1 <= self.samples <= SAMPLES_MAX:
            found.append(f"samples = {self.samples}: must be 1 to {SAMPLES_MAX}")
        elif members > members_max(self.samples):
            found.append(
                f"samples = {self.samples}: with as many the answers of at most {members_max(self.samples)} members fit"
                f" into one decision, not those of {members}; take fewer"
            )
        if not 1 <= self.deadline_ms <= DEADLINE_MS_MAX:
            found.append(f"deadline_ms = {self.deadline_ms}: must be 1 to {DEADLINE_MS_MAX}")
        if not 0 <= self.grace_ms <= self.deadline_ms:
            found.append(f"grace_ms = {self.grace_ms}: must be 0 to deadline_ms ({self.deadline_ms})")
        if self.tally not in RULES:
            found.append(f"tally = {self.tally!r}: known rules are {', '.join(sorted(RULES))}")
        return found


def write_charter(writer: Writer, charter: Charter) -> None:
    writer.u32(charter.threshold).u32(charter.turnout).u32(charter.samples)
    writer.u64(charter.deadline_ms).u64(charter.grace_ms).text(charter.tally)


def read_charter(reader: Reader) -> Charter:
    """Rules that are well-formed; whether they work for a roster, `Charter.problems` says."""
    threshold, turnout, samples = reader.u32(), reader.u32(), reader.u32()
    return Charter(
        threshold=threshold,
        turnout=turnout,
        samples=samples,
        deadline_ms=reader.u64(),
        grace_ms=reader.u64(),
        tally=reader.text(32),
    )

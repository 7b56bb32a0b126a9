"""Who counts in a vote, and by which rules: a moot's seats and charter in one epoch.

Everything about a slot is judged by the roster in force at that slot: quorum sets, who may speak, whose preference
counts. Only what a slot decides makes another one; who is reachable has no say.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from coordinator.charter import Charter
from coordinator.encoding import Reader, Writer
from coordinator.messages import RECORDS_MAX
from coordinator.records import is_plain
from coordinator.signed import NODE_ID_SIZE, Digest, NodeId
from coordinator.voting.quorum import QuorumSet

MEMBERS_MAX = RECORDS_MAX
"""The proof of a slot, a quorum's statements, travels in one message."""
NAME_LENGTH_MAX = 64
ADDRESS_LENGTH_MAX = 255
WEIGHT_MAX = 1_000
_UTF8_MAX = 4
"""Bytes of one character, at most."""


class RosterError(ValueError):
    """The roster cannot be changed so. Carries every problem found."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(problems))


@dataclass(frozen=True, slots=True)
class Member:
    """One seat of the roster. The address is where it was first found; membership learns of later ones."""

    node: NodeId
    name: str
    organization: str
    weight: int
    address: str


@dataclass(frozen=True)
class Roster:
    """Members are sorted by node id. Epoch 0 is the genesis's; every change that is decided begins the next one."""

    epoch: int
    members: tuple[Member, ...]
    charter: Charter

    @cached_property
    def quorum_set(self) -> QuorumSet:
        """Everybody's quorum set: any `threshold` of the roster, whoever of it is reachable."""
        return QuorumSet(self.charter.threshold, tuple(member.node for member in self.members))

    @cached_property
    def quorum_set_digest(self) -> Digest:
        return self.quorum_set.digest()

    @cached_property
    def by_node(self) -> dict[NodeId, Member]:
        return {member.node: member for member in self.members}

    @cached_property
    def nodes(self) -> frozenset[NodeId]:
        return frozenset(self.by_node)

    def problems(self) -> list[str]:
        """Why no moot can have this roster; empty when it works."""
        return [*_members_problems(self.members), *self.charter.problems(len(self.members))]


def name_problems(names: Iterable[str]) -> list[str]:
    return [
        f"the name {name[:80]!r}: must be 1 to {NAME_LENGTH_MAX} printable characters"
        for name in names
        if not 0 < len(name) <= NAME_LENGTH_MAX or not is_plain(name)
    ]


def _members_problems(members: tuple[Member, ...]) -> list[str]:
    problems = []
    if not 1 <= len(members) <= MEMBERS_MAX:
        problems.append(f"members: {len(members)} given, 1 to {MEMBERS_MAX} needed")
    if [member.node for member in members] != sorted({member.node for member in members}):
        problems.append("members: must be sorted by node id, each node once")
    if len({member.name for member in members}) != len(members):
        problems.append("members: two have the same name; give each its own")
    problems += name_problems(part for member in members for part in (member.name, member.organization))
    for member in members:
        if not 1 <= member.weight <= WEIGHT_MAX:
            problems.append(f"weight of {member.name!r}: must be 1 to {WEIGHT_MAX}")
        if len(member.node) != NODE_ID_SIZE:
            problems.append(f"node id of {member.name!r}: must be {NODE_ID_SIZE} bytes")
        if len(member.address) > ADDRESS_LENGTH_MAX or not is_plain(member.address):
            problems.append(f"address of {member.name!r}: must be at most {ADDRESS_LENGTH_MAX} printable characters")
    return problems


def write_member(writer: Writer, member: Member) -> None:
    writer.blob(member.node).text(member.name).text(member.organization).u32(member.weight).text(member.address)


def read_member(reader: Reader) -> Member:
    return Member(
        reader.blob(NODE_ID_SIZE),
        reader.text(_UTF8_MAX * NAME_LENGTH_MAX),
        reader.text(_UTF8_MAX * NAME_LENGTH_MAX),
        reader.u32(),
        reader.text(_UTF8_MAX * ADDRESS_LENGTH_MAX),
    )

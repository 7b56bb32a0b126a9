"""The table of all other members. What nearly all share lies in shared values; side tables hold the few exceptions.

No question that a step asks of it takes time in proportion to the members, so that a node among ten thousand is as
quick as one among ten, and a simulation of ten thousand such nodes fits in memory.
"""

from collections.abc import Callable, Iterator, Mapping
from random import Random
from types import MappingProxyType

from coordinator.signed import NodeId, Signed
from node.membership.events import MemberView, Status
from node.membership.members import NOBODY, Case, Known, Member, believed

HEARD_MAX = 1_024
"""Members of which it is known when they were heard last, and how far they are. The longest silent are forgotten."""
SCAN_MAX = 64
"""In a table this small a choice looks at everyone; in a larger one it draws some and looks whether they fit."""
TRIES_MAX = 16
"""Draws per member to be chosen, before everyone is looked at after all."""

_NO_ACCUSATIONS: Mapping[NodeId, Signed] = MappingProxyType({})


class Members:
    """All other members, tombstones included, in the order in which they became known."""

    __slots__ = (
        "_added",
        "_base",
        "_counts",
        "_here",
        "_since_ms",
        "_started_ms",
        "cases",
        "conflicts",
        "heard_ms",
        "rtts_ms",
        "strangers",
        "sums",
        "tombs_ms",
        "verified_alive",
    )

    def __init__(self, own: NodeId, now_ms: int, known: Known = NOBODY) -> None:
        self._base = known
        self._here: dict[NodeId, Member | None] = {}
        """What is different from the beginning. None: forgotten, or this node itself."""
        self._added: list[NodeId | None] = []
        """Who came after the beginning. None: forgotten since, until `compact`."""
        self._started_ms = now_ms
        self._since_ms: dict[NodeId, int] = {}
        """Since when each has its status; not noted where that is since the beginning."""
        others = len(known.order) - (own in known.by_node)
        self._counts = [others, 0, 0, 0]
        """By the rank of the status."""
        self.verified_alive = others
        """How many are alive and were heard by this node itself."""
        self.sums = known.sums[:]
        """By bucket, the sum of its members' marks."""
        if own in known.by_node:
            self._here[own] = None
            self.sums[known.by_node[own].bucket] ^= known.by_node[own].mark
        self.cases: dict[NodeId, Case] = {}
        """Of the suspect and the dead."""
        self.tombs_ms: dict[NodeId, int] = {}
        """Since when one is dead or gone, the oldest first."""
        self.conflicts: dict[NodeId, tuple[Signed, Signed]] = {}
        """Two different records of one key, both signed by their owner: it equivocated."""
        self.strangers: set[NodeId] = set()
        """Who has not answered our last probe, or none yet."""
        self.heard_ms: dict[NodeId, int] = {}
        """When each was heard last, the longest silent first."""
        self.rtts_ms: dict[NodeId, int] = {}

    def __len__(self) -> int:
        return sum(self._counts)

    def __iter__(self) -> Iterator[Member]:
        for index in range(self.size):
            member = self.at(index)
            if member is not None:
                yield member

    @property
    def live(self) -> int:
        """How many are alive or suspect."""
        return self._counts[0] + self._counts[1]

    @property
    def size(self) -> int:
        """Places in the order of their coming, empty ones included."""
        return len(self._base.order) + len(self._added)

    def count(self, status: Status) -> int:
        return self._counts[status.value]

    def get(self, node: NodeId) -> Member | None:
        if node in self._here:
            return self._here[node]
        return self._base.by_node.get(node)

    def at(self, index: int) -> Member | None:
        """Who has this place in the order; None where that one was forgotten."""
        order = self._base.order
        node = order[index] if index < len(order) else self._added[index - len(order)]
        return None if node is None else self.get(node)

    def add(self, member: Member, now_ms: int) -> int:
        """A member that is not known; gives its place in the order."""
        node = member.node
        assert self.get(node) is None, "a member is added once"
        self._enter(member)
        self._since_ms[node] = now_ms
        self.strangers.add(node)
        if not member.live:
            self.tombs_ms[node] = now_ms
        if node in self._base.by_node:
            return self._base.order.index(node)
        self._added.append(node)
        return self.size - 1

    def put(self, member: Member, now_ms: int) -> None:
        """Hold something else true of a member that is known."""
        node = member.node
        before = self.get(node)
        assert before is not None, "a member is added first"
        self._withdraw(before)
        self._enter(member)
        if member.status is not before.status:
            self._since_ms[node] = now_ms
            self.tombs_ms.pop(node, None)
            if not member.live:
                self.tombs_ms[node] = now_ms

    def remove(self, node: NodeId) -> None:
        """Forget a member and everything about it."""
        member = self.get(node)
        assert member is not None, "only who is known can be forgotten"
        self._withdraw(member)
        if node in self._base.by_node:
            self._here[node] = None
        else:
            del self._here[node]
            self._added[self._added.index(node)] = None
        self.strangers.discard(node)
        for table in (self._since_ms, self.tombs_ms, self.heard_ms, self.rtts_ms):
            table.pop(node, None)
        self.cases.pop(node, None)
        self.conflicts.pop(node, None)

    def compact(self) -> None:
        """Close the gaps that the forgotten left. Places in the order change by it."""
        if None in self._added:
            self._added = [node for node in self._added if node is not None]

    def hear(self, member: Member, now_ms: int) -> None:
        """It spoke to us itself."""
        if not member.verified:
            self.put(believed(member.signed, member.status, True), now_ms)
        self.heard_ms.pop(member.node, None)
        self.heard_ms[member.node] = now_ms
        if len(self.heard_ms) > HEARD_MAX:
            longest_silent = next(iter(self.heard_ms))
            del self.heard_ms[longest_silent]
            self.rtts_ms.pop(longest_silent, None)

    def accusations(self, node: NodeId) -> Mapping[NodeId, Signed]:
        case = self.cases.get(node)
        return _NO_ACCUSATIONS if case is None else case.accusations

    def evidence(self, member: Member) -> tuple[Signed, ...]:
        """What convinces another of its status: the record, then the accusations."""
        return (member.signed, *self.accusations(member.node).values())

    def is_trusted(self, member: Member) -> bool:
        """Fit to be a relay: heard by ourselves, never caught, and of our protocol."""
        if member.node in self.conflicts or not member.record.is_compatible:
            return False
        return member.status is Status.ALIVE and member.verified

    def sample(self, rng: Random, count: int, fits: Callable[[Member], bool]) -> list[Member]:
        """So many different members that fit, or all that do, each equally likely."""
        size = self.size
        if size > SCAN_MAX:
            chosen: dict[NodeId, Member] = {}
            for _ in range(TRIES_MAX * count):
                if len(chosen) == count:
                    break
                member = self.at(int(rng.random() * size))
                if member is not None and member.node not in chosen and fits(member):
                    chosen[member.node] = member
            if len(chosen) == count:
                return list(chosen.values())
        fitting = [member for member in self if fits(member)]
        return rng.sample(fitting, min(count, len(fitting)))

    def view(self, member: Member) -> MemberView:
        node, record = member.node, member.record
        return MemberView(
            node,
            member.status,
            record.epoch,
            record.incarnation,
            record.address,
            record.meta,
            record.is_compatible,
            member.verified,
            self._since_ms.get(node, self._started_ms),
            self.heard_ms.get(node),
            self.rtts_ms.get(node),
        )

    def _enter(self, member: Member) -> None:
        self._here[member.node] = member
        self._counts[member.status.value] += 1
        self.verified_alive += member.verified and member.status is Status.ALIVE
        self.sums[member.bucket] ^= member.mark

    def _withdraw(self, member: Member) -> None:
        self._counts[member.status.value] -= 1
        self.verified_alive -= member.verified and member.status is Status.ALIVE
        self.sums[member.bucket] ^= member.mark

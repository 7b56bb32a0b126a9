"""The queue of news to pass on: fewest transmissions first, each item a bounded number of times.

Source: Das et al., SWIM (DSN 2002), section 4.1; hashicorp/memberlist, queue.go.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import TypeAlias

from coordinator.signed import NodeId, Signed
from node.membership.messages import GOSSIP_MAX
from node.membership.settings import MembershipSettings

RETRANSMIT_FLOOR_SMALL, RETRANSMIT_FLOOR = 8, 12
"""Lambda * log10(n) is too few for a small group: at 30 % loss, 8 reach 99 % of up to eight members, 12 of up to 64."""


def retransmit_max(settings: MembershipSettings, n: int) -> int:
    """How often one item is sent among `n` live members, this node included."""
    limit = max(settings.retransmit_mult * math.ceil(math.log10(n + 1)), RETRANSMIT_FLOOR)
    if n <= 8:
        limit = max(settings.retransmit_mult, RETRANSMIT_FLOOR_SMALL)
    if n <= settings.gossip_to_all_max:
        limit = max(limit, (settings.gossip_repeats + 1) * (n - 1))
    return limit


Entry: TypeAlias = tuple[bool, int, int, int, NodeId, NodeId]
"""An item's place in the order: news of others, times sent, minus size, minus age; then its subject and author."""
OBSOLETE_MAX = 64
"""Entries of the order beyond twice the items, before it is made anew."""


@dataclass(slots=True)
class Item:
    signed: Signed
    size: int
    age: int
    """Order of arrival: higher is newer."""
    sent: int = 0


@dataclass(slots=True)
class GossipQueue:
    """At most one record per member, or the accusations of its newest incarnation, one per accuser."""

    settings: MembershipSettings
    own: NodeId
    """News about this node go first and are never dropped."""
    dropped: int = 0
    _items: dict[tuple[NodeId, NodeId], Item] = field(default_factory=dict)
    """By (subject, author), oldest first."""
    _authors: dict[NodeId, list[NodeId]] = field(default_factory=dict)
    _order: list[Entry] = field(default_factory=list)
    """A heap. Entries whose item is gone, or has been sent since, are obsolete."""
    _ages: int = 0

    def __len__(self) -> int:
        return len(self._items)

    def replace(self, subject: NodeId, record: Signed) -> None:
        """A newer record of a member: what was to be said about it before is obsolete."""
        self.forget(subject)
        self.put(subject, record)

    def put(self, subject: NodeId, item: Signed) -> None:
        """Add an item, or send it anew from the start."""
        self._drop(subject, item.author)
        self._ages += 1
        queued = self._items[subject, item.author] = Item(item, size_of(item), self._ages)
        self._place(subject, queued)
        if len(self._order) > 2 * len(self._items) + OBSOLETE_MAX:
            self._order.clear()
            for (about, _), waiting in self._items.items():
                self._place(about, waiting)
        self._authors.setdefault(subject, []).append(item.author)
        while len(self._items) > self.settings.queue_max:
            oldest = next(key for key in self._items if key[0] != self.own)
            self._drop(*oldest)
            self.dropped += 1

    def forget(self, subject: NodeId) -> None:
        for author in list(self._authors.get(subject, ())):
            self._drop(subject, author)

    def take(self, n: int, receiver: NodeId, first: Sequence[Signed] = ()) -> tuple[Signed, ...]:
        """The items for one message among `n` live members: `first`, then news about us, then the least told.

        Counts as one transmission of each; an item that has had its share leaves the queue. Nobody is told what it
        said itself.
        """
        if not self._items:
            return tuple(first)
        taken = list(first)
        room = self.settings.gossip_bytes_max - sum(map(size_of, first))
        limit = retransmit_max(self.settings, n)
        considered: list[tuple[Entry, Item]] = []
        while self._order and len(considered) < GOSSIP_MAX and len(taken) < GOSSIP_MAX:
            entry = heappop(self._order)
            item = self._items.get(entry[4:])
            if item is None or (item.sent, item.age) != (entry[1], -entry[3]):
                continue
            considered.append((entry, item))
            if item.size > room:
                continue
            if item.signed not in first and item.signed.author != receiver:
                taken.append(item.signed)
                room -= item.size
            item.sent += 1
        for (_, _, _, _, subject, author), item in considered:
            if item.sent >= limit:
                self._drop(subject, author)
            else:
                self._place(subject, item)
        return tuple(taken)

    def _place(self, subject: NodeId, item: Item) -> None:
        heappush(self._order, (subject != self.own, item.sent, -item.size, -item.age, subject, item.signed.author))

    def _drop(self, subject: NodeId, author: NodeId) -> None:
        if self._items.pop((subject, author), None) is not None:
            authors = self._authors[subject]
            authors.remove(author)
            if not authors:
                del self._authors[subject]


def size_of(item: Signed) -> int:
    """Bytes on the wire, with an allowance for framing."""
    return len(item.author) + len(item.body) + len(item.signature) + 16

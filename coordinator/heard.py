"""A statement as it was heard: from whom it came, and which of two replaces the other."""

from dataclasses import dataclass
from functools import lru_cache

from coordinator.signed import NodeId, Signed
from coordinator.voting.newness import is_newer
from coordinator.voting.statement import Nominate, Statement, decode

READ_MAX = 1_024
"""Statements remembered by their bytes: each comes again with the later ones of its author, and from who passes it on.
None is longer than a few kilobytes."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A checked statement, the record that it came in, and who handed it on."""

    statement: Statement
    record: Signed
    sender: NodeId

    @property
    def key(self) -> tuple[NodeId, bool]:
        """Author and protocol: of each, only the newest statement counts."""
        return self.record.author, isinstance(self.statement, Nominate)


def keep_newest(held: dict[tuple[NodeId, bool], Heard], heard: Heard) -> None:
    """Of two that contradict each other the first stays, so that a liar cannot make a member forget."""
    before = held.get(heard.key)
    if before is None or is_newer(before.statement, heard.statement):
        held[heard.key] = heard


@lru_cache(maxsize=READ_MAX)
def read_statement(body: bytes) -> Statement:
    """The statement in a record. Raises ValueError where there is none."""
    return decode(body)

"""The document that founds a moot: its first roster and its charter. Its digest is the moot's id."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Any

from coordinator.charter import Charter, write_charter
from coordinator.encoding import U64_MAX, Writer
from coordinator.ledger.roster import Member, Roster, name_problems, write_member
from coordinator.signed import Digest
from coordinator.voting.quorum import byzantine_threshold

FORMAT = "moot-genesis-v1"
SIZE_MAX = 1024 * 1024


class GenesisError(ValueError):
    """The document cannot found a moot. Carries every problem found."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__(
            "\n".join([f"genesis: {len(problems)} problem(s)", *(f"  - {problem}" for problem in problems)])
        )


@dataclass(frozen=True)
class Genesis:
    """Members are sorted by node id, so that one moot has one id whoever wrote the document."""

    name: str
    created_ms: int
    members: tuple[Member, ...]
    charter: Charter

    def __post_init__(self) -> None:
        problems = [*name_problems([self.name]), *self.roster.problems()]
        if not 0 <= self.created_ms <= U64_MAX:
            problems.append("created_ms: out of range")
        if problems:
            raise GenesisError(problems)

    @staticmethod
    def found(
        name: str,
        created_ms: int,
        members: Sequence[Member],
        *,
        threshold: int | None = None,
        turnout: int | None = None,
        **rules: Any,
    ) -> "Genesis":
        """Found a moot; by default the smallest safe quorum, and a majority must answer."""
        count = len(members)
        charter = Charter(
            threshold=byzantine_threshold(count) if threshold is None else threshold,
            turnout=count // 2 + 1 if turnout is None else turnout,
            **rules,
        )
        return Genesis(name, created_ms, tuple(sorted(members, key=lambda member: member.node)), charter)

    @cached_property
    def moot_id(self) -> Digest:
        writer = Writer().text(FORMAT).text(self.name).u64(self.created_ms).items(self.members, write_member)
        write_charter(writer, self.charter)
        return sha256(writer.done()).digest()

    @cached_property
    def roster(self) -> Roster:
        """The first one. Later ones are the ledger's."""
        return Roster(0, self.members, self.charter)

    def to_json(self) -> bytes:
        charter = self.charter
        document = {
            "format": FORMAT,
            "name": self.name,
            "created_ms": self.created_ms,
            "members": [
                {
                    "node": member.node.hex(),
                    "name": member.name,
                    "organization": member.organization,
                    "weight": member.weight,
                    "address": member.address,
                }
                for member in self.members
            ],
            "charter": {name: getattr(charter, name) for name in charter.__slots__},
        }
        return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()

    @staticmethod
    def from_json(data: bytes) -> "Genesis":
        """Read a genesis document.

        Raises:
            GenesisError: not JSON, unknown or missing fields, or rules that cannot work; the message lists all of it.
        """
        if len(data) > SIZE_MAX:
            raise GenesisError([f"{len(data)} bytes; at most {SIZE_MAX} are allowed"])
        try:
            document = json.loads(data)
        except (ValueError, RecursionError) as error:
            raise GenesisError([f"not JSON ({error})"]) from error
        top = _fields("", document, {"format": str, "name": str, "created_ms": int, "members": list, "charter": dict})
        if top["format"] != FORMAT:
            raise GenesisError([f"format = {top['format']!r}: expected {FORMAT!r}"])
        problems: list[str] = []
        members: list[Member] = []
        rules: dict[str, Any] = {}
        try:
            types: dict[str, type] = {name: str if name == "tally" else int for name in Charter.__slots__}
            rules = _fields("charter.", top["charter"], types)
        except GenesisError as error:
            problems += error.problems
        for number, entry in enumerate(top["members"]):
            try:
                members.append(_read_member(number, entry))
            except GenesisError as error:
                problems += error.problems
        if problems:
            raise GenesisError(problems)
        return Genesis(top["name"], top["created_ms"], tuple(members), Charter(**rules))


def _read_member(number: int, entry: Any) -> Member:
    at = f"members[{number}]."
    fields = _fields(at, entry, {"node": str, "name": str, "organization": str, "weight": int, "address": str})
    try:
        node = bytes.fromhex(fields["node"])
    except ValueError as error:
        raise GenesisError([f"{at}node: not hexadecimal"]) from error
    return Member(node, fields["name"], fields["organization"], fields["weight"], fields["address"])


def _fields(at: str, document: Any, types: dict[str, type]) -> dict[str, Any]:
    if not isinstance(document, dict):
        raise GenesisError([f"{at or 'the document'}: an object was expected"])
    problems = [f"{at}{name}: unknown; remove it" for name in sorted(document.keys() - types.keys())]
    problems += [f"{at}{name}: missing" for name in sorted(types.keys() - document.keys())]
    for name in sorted(types.keys() & document.keys()):
        if type(document[name]) is not types[name]:
            problems.append(f"{at}{name}: a {types[name].__name__} was expected")
    if problems:
        raise GenesisError(problems)
    return document

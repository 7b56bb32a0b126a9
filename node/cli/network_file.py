"""A network written down: who is in it, and whom each node trusts, as explorers of Stellar networks publish it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from coordinator.ledger.genesis import FORMAT as GENESIS_FORMAT
from coordinator.ledger.genesis import Genesis, GenesisError
from coordinator.voting import QuorumSet

SIZE_MAX = 16 * 1024 * 1024
NESTING_MAX = 8
"""Of inner quorum sets; published ones nest twice."""


class NetworkFileError(ValueError):
    """The bytes do not describe a network; the message says where."""


@dataclass(frozen=True, slots=True)
class Place:
    """One node. Without a known quorum set it takes part in no quorum."""

    id: str
    name: str
    organization: str | None
    quorum_set: QuorumSet | None


@dataclass(frozen=True, slots=True)
class Network:
    places: tuple[Place, ...]

    @property
    def sets(self) -> dict[bytes, QuorumSet]:
        return {place.id.encode(): place.quorum_set for place in self.places if place.quorum_set is not None}

    @property
    def names(self) -> dict[str, str]:
        """What each id is called; the id itself where two nodes have one name, so that no name is taken for another."""
        seen: dict[str, int] = {}
        for place in self.places:
            seen[place.name] = seen.get(place.name, 0) + 1
        return {place.id: place.name if seen[place.name] == 1 else place.id for place in self.places}

    @property
    def organizations(self) -> dict[str, list[bytes]]:
        found: dict[str, list[bytes]] = {}
        for place in self.places:
            if place.organization is not None:
                found.setdefault(place.organization, []).append(place.id.encode())
        return found


def read_network(data: bytes) -> Network:
    """Read a list of nodes, an object that holds one under "nodes", or a moot's genesis, where all trust alike.

    A node has "publicKey" or "id", and may have "name", "organization" or "organizationId", and "quorumSet":
    {"threshold", "validators": ids, "innerQuorumSets": sets}. What else stands there is passed over.

    Raises:
        NetworkFileError: it is none of these.
    """
    if len(data) > SIZE_MAX:
        raise NetworkFileError(f"more than {SIZE_MAX} bytes")
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise NetworkFileError(f"not JSON ({error})") from error
    if isinstance(document, dict) and document.get("format") == GENESIS_FORMAT:
        try:
            return _of_genesis(Genesis.from_json(data))
        except GenesisError as error:
            raise NetworkFileError(str(error)) from error
    entries = document.get("nodes") if isinstance(document, dict) else document
    if not isinstance(entries, list):
        raise NetworkFileError('expected a list of nodes, an object with "nodes", or the genesis of a moot')
    places = tuple(_place(f"nodes[{number}]", entry) for number, entry in enumerate(entries))
    if len({place.id for place in places}) != len(places):
        raise NetworkFileError("two nodes have the same id")
    return Network(places)


def _of_genesis(genesis: Genesis) -> Network:
    shared = QuorumSet(genesis.charter.threshold, tuple(member.node.hex().encode() for member in genesis.members))
    return Network(tuple(Place(m.node.hex(), m.name, m.organization, shared) for m in genesis.members))


def _place(at: str, entry: Any) -> Place:
    if not isinstance(entry, dict):
        raise NetworkFileError(f"{at}: an object was expected")
    known = _text(at, entry, "publicKey", "id")
    if known is None:
        raise NetworkFileError(f'{at}: has no "publicKey" or "id"')
    quorum_set = entry.get("quorumSet")
    return Place(
        known,
        _text(at, entry, "name") or known,
        _text(at, entry, "organization", "organizationId"),
        None if quorum_set is None else _quorum_set(f"{at}.quorumSet", quorum_set, 0),
    )


def _quorum_set(at: str, entry: Any, level: int) -> QuorumSet:
    if not isinstance(entry, dict) or level > NESTING_MAX:
        raise NetworkFileError(f"{at}: an object was expected, at most {NESTING_MAX} deep")
    threshold = entry.get("threshold")
    if type(threshold) is not int or threshold < 1:
        raise NetworkFileError(f"{at}.threshold = {threshold!r}: a whole number above 0 was expected")
    validators, inner = (_list(at, entry, name) for name in ("validators", "innerQuorumSets"))
    if not all(isinstance(validator, str) and validator.isprintable() for validator in validators):
        raise NetworkFileError(f"{at}.validators: ids were expected")
    sets = (_quorum_set(f"{at}.innerQuorumSets[{n}]", child, level + 1) for n, child in enumerate(inner))
    return QuorumSet(threshold, tuple(validator.encode() for validator in validators), tuple(sets))


def _list(at: str, entry: Mapping[str, Any], name: str) -> list[Any]:
    found = entry.get(name, [])
    if not isinstance(found, list):
        raise NetworkFileError(f"{at}.{name}: a list was expected")
    return found


def _text(at: str, entry: Mapping[str, Any], *names: str) -> str | None:
    """The first of these fields that is set; surrogates and control characters would spoil what is printed."""
    for name in names:
        found = entry.get(name)
        if found is None or found == "":
            continue
        if not isinstance(found, str) or not found.isprintable():
            raise NetworkFileError(f"{at}.{name}: printable text was expected")
        return found
    return None

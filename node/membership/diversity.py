"""Choosing members that are unlikely to fail, or to lie, together: of different operators and in different networks.

One operator with many nodes must not become all the relays of a probe, nor all that hear a piece of news (hashicorp
dskit pull request 1034: paths through one proxy are one path).
"""

from collections.abc import Callable, Sequence
from functools import lru_cache

from coordinator.signed import NodeId
from node.membership.members import Member

CANDIDATES_PER_CHOICE = 4
"""Members drawn for each one to be chosen: enough to find two operators among four, and still few."""
SAME_NETWORK_MAX = 8
"""Of one small network (a /24) in one choice, however many are asked for."""


@lru_cache(1 << 14)
def networks_of(address: str) -> tuple[str, str]:
    """The large and the small network of host:port: /16 and /24 of IPv4, /32 and /64 of IPv6, else the host's name."""
    host = address.rsplit(":", 1)[0].strip("[]")
    parts = host.split(".")
    if len(parts) == 4 and all(part.isdecimal() for part in parts):
        return ".".join(parts[:2]), ".".join(parts[:3])
    if ":" in host:
        groups = host.split(":")
        return ":".join(groups[:2]), ":".join(groups[:4])
    return host, host


def diverse(drawn: Sequence[Member], count: int, operator_of: Callable[[NodeId], str]) -> list[Member]:
    """So many of those drawn, each of another operator and network where there are such; in the order drawn otherwise.

    An operator without a name is as good as a different one: nothing is known of it.
    """
    chosen: list[Member] = []
    operators: set[str] = set()
    large: set[str] = set()
    small: list[str] = []
    for strictness in (2, 1, 0):
        for member in drawn:
            if len(chosen) >= count:
                return chosen
            operator, networks = operator_of(member.node), networks_of(member.record.address)
            if member in chosen or small.count(networks[1]) >= SAME_NETWORK_MAX:
                continue
            if (strictness > 0 and operator in operators) or (strictness > 1 and networks[0] in large):
                continue
            chosen.append(member)
            large.add(networks[0])
            small.append(networks[1])
            if operator:
                operators.add(operator)
    return chosen

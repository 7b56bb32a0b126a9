"""One member alone: `only-` and the first digits of a node's id name the one member of which the points count.

For questions of which it is known that this member is right more often alone than all together. The others abstain, so
that one model works and not all of them; and what they say all the same counts for nothing. Whoever asks chooses it
for one question. It is no rule for a charter: a moot that only ever hears one member has a leader.
"""

import re
from collections.abc import Sequence

from coordinator.signed import Digest, NodeId
from coordinator.tally.outcome import Outcome, Rule, Weighed
from coordinator.tally.points import by_points

ID_DIGITS = 24
"""96 bits: nobody finds a second key that begins alike."""
_NAME = re.compile(rf"only-([0-9a-f]{{{ID_DIGITS}}})", re.ASCII)


def only(member: NodeId) -> str:
    """The name of the rule that counts this member alone."""
    return f"only-{member.hex()[:ID_DIGITS]}"


def named(rule: str) -> str | None:
    """The first digits of the one member's id; None for a rule that counts all members."""
    found = _NAME.fullmatch(rule)
    return found[1] if found else None


def is_counted(rule: str, member: NodeId) -> bool:
    """Whether this member's points count under the rule of that name."""
    digits = named(rule)
    return digits is None or member.hex().startswith(digits)


def turnout_of(rule: str, turnout: int) -> int:
    """How many members must have answered, where the charter asks for `turnout`."""
    return turnout if named(rule) is None else 1


def by_only(rule: str) -> Rule:
    def count(question: Digest, profile: Sequence[Weighed]) -> Outcome | None:
        return by_points(question, [one for one in profile if is_counted(rule, one.member)])

    return count

"""The rules of a moot: what they may be, and the quorum that keeps two decisions from contradicting each other."""

from dataclasses import replace

import pytest

from coordinator.charter import Charter
from coordinator.records import DEADLINE_MS_MAX, SAMPLES_MAX
from coordinator.voting.quorum import byzantine_threshold

CHARTER = Charter(threshold=4, turnout=3)


@pytest.mark.parametrize("members", range(1, 40))
def test_two_quorums_share_an_honest_member(members: int) -> None:
    """n > 3f (Lamport, Shostak, Pease 1982): of two quorums more than f members are the same, and f may be silent."""
    faulty = (members - 1) // 3
    threshold = byzantine_threshold(members)
    assert 2 * threshold - members > faulty
    assert threshold <= members - faulty, "the honest alone make a quorum"


@pytest.mark.parametrize(
    ("charter", "named"),
    [
        pytest.param(CHARTER, None, id="the smallest quorum"),
        pytest.param(replace(CHARTER, threshold=5), None, id="all"),
        pytest.param(replace(CHARTER, threshold=3), "threshold", id="an unsafe quorum"),
        pytest.param(replace(CHARTER, threshold=6), "threshold", id="more than there are"),
        pytest.param(replace(CHARTER, turnout=1), None, id="one is enough"),
        pytest.param(replace(CHARTER, turnout=5), None, id="all must answer"),
        pytest.param(replace(CHARTER, turnout=0), "turnout", id="nobody must answer"),
        pytest.param(replace(CHARTER, turnout=6), "turnout", id="more must answer than there are"),
        pytest.param(replace(CHARTER, samples=1), None, id="one sample"),
        pytest.param(replace(CHARTER, samples=0), "samples", id="no sample"),
        pytest.param(replace(CHARTER, samples=SAMPLES_MAX), None, id="most samples"),
        pytest.param(replace(CHARTER, samples=SAMPLES_MAX + 1), "samples", id="too many samples"),
        pytest.param(replace(CHARTER, deadline_ms=0, grace_ms=0), "deadline_ms", id="no time"),
        pytest.param(replace(CHARTER, deadline_ms=DEADLINE_MS_MAX), None, id="an hour"),
        pytest.param(replace(CHARTER, deadline_ms=DEADLINE_MS_MAX + 1), "deadline_ms", id="more than an hour"),
        pytest.param(replace(CHARTER, grace_ms=0), None, id="no grace"),
        pytest.param(replace(CHARTER, grace_ms=-1), "grace_ms", id="grace before"),
        pytest.param(replace(CHARTER, grace_ms=20_000), None, id="grace to the deadline"),
        pytest.param(replace(CHARTER, grace_ms=20_001), "grace_ms", id="grace beyond the deadline"),
        pytest.param(replace(CHARTER, tally="dice"), "tally", id="an unknown rule"),
        pytest.param(replace(CHARTER, tally="only-" + "0" * 24), "tally", id="one member for every question"),
    ],
)
def test_bounds(charter: Charter, named: str | None) -> None:
    problems = charter.problems(5)
    assert [problem.split(" ")[0] for problem in problems] == ([named] if named else [])


def test_all_problems_are_named() -> None:
    bad = Charter(threshold=0, turnout=0, samples=0, deadline_ms=0, grace_ms=1, tally="")
    assert len(bad.problems(5)) == 6

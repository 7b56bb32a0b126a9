"""The tests and the simulator see what they are there to see: each broken rule is caught, or they prove nothing."""

from collections import Counter
from dataclasses import replace

import pytest

from tests.mutations.all import MUTANTS
from tests.mutations.hunt import Caught, hunt
from tests.mutations.mutant import Mutant, Simulated

LEAST = 130
UNBROKEN = Mutant(
    name="unbroken",
    file="coordinator/voting/ballot.py",
    right="if (state.b is not None and ballot <= state.b) or",
    wrong="if (ballot <= state.b if state.b is not None else False) or",
    breaks="nothing",
    tests=("tests/coordinator/voting/test_stale.py", "tests/coordinator/voting/test_ballot_counter.py"),
    simulated=Simulated("slots", 3),
)


def test_each_is_a_mutant_of_the_code_as_it_is() -> None:
    """A rule was rewritten and its mutant changes nothing any more."""
    assert [problem for mutant in MUTANTS if (problem := mutant.problem())] == []
    assert [name for name, count in Counter(mutant.name for mutant in MUTANTS).items() if count > 1] == []
    assert len(MUTANTS) >= LEAST


@pytest.mark.parametrize("mutant", [one for one in MUTANTS if one.tests], ids=lambda mutant: mutant.name)
def test_caught_by_a_test(mutant: Mutant) -> None:
    assert hunt(mutant, simulation=False).test, f"no test sees that this is broken: {mutant.breaks}"


@pytest.mark.parametrize("mutant", [one for one in MUTANTS if one.simulated], ids=lambda mutant: mutant.name)
def test_caught_in_simulation(mutant: Mutant) -> None:
    assert hunt(mutant, tests=False).simulated, f"no run sees that this is broken: {mutant.breaks}"


def test_where_nothing_is_broken_nothing_is_caught() -> None:
    """Else whatever fails for another reason would pass for a mutant that is caught."""
    assert UNBROKEN.problem() is None
    assert hunt(UNBROKEN) == Caught()


def test_what_cannot_be_imported_proves_nothing() -> None:
    assert hunt(replace(UNBROKEN, wrong="if nonsense(", simulated=None)) == Caught()

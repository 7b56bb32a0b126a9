"""The example in the package's documentation runs, and shows what happens."""

import doctest
from dataclasses import replace

import coordinator.voting
from tests.coordinator.voting.world import ScriptedDriver


def test_the_example_in_the_documentation() -> None:
    """Who begins with this library begins with code that does not work."""
    names = vars(coordinator.voting) | {"MyDriver": ScriptedDriver, "replace": replace}
    (example,) = doctest.DocTestFinder(recurse=False).find(coordinator.voting, extraglobs=names)
    assert len(example.examples) > 10
    told: list[str] = []
    failed, _ = doctest.DocTestRunner().run(example, out=told.append)
    assert failed == 0, "".join(told)

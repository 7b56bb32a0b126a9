"""Runs what must catch a mutant, each mutant in a process of its own, and says by what it was caught."""

import contextlib
import gc
import io
import os
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection

import pytest

from tests.mutations.mutant import ROOT, Mutant

_FRESH = get_context("forkserver")
"""Of processes that have imported pytest, which takes longer than most tests, and nothing of the project yet."""
_PLUGINS = (
    "pytest_asyncio.plugin",
    "pytest_timeout",
    "_hypothesis_pytestplugin",
    "anyio.pytest_plugin",
    "xdist.plugin",
)
_FRESH.set_forkserver_preload(["tests.mutations.hunt", "hypothesis", *_PLUGINS])
PATIENCE_S = 300
"""Beyond it a mutant that makes everything hang counts as caught: nobody overlooks that."""


@dataclass(frozen=True, slots=True)
class Caught:
    """By what; empty texts: not by that."""

    test: str = ""
    simulated: str = ""


def hunt(mutant: Mutant, *, tests: bool = True, simulation: bool = True) -> Caught:
    """Let the named tests, the simulator, or both look for this mutant."""
    test = _run(_by_tests, mutant) if tests and mutant.tests else ""
    simulated = _run(_by_simulation, mutant) if simulation and mutant.simulated is not None else ""
    return Caught(test, simulated)


def _run(act: Callable[[Mutant, Connection], None], mutant: Mutant) -> str:
    receiver, sender = _FRESH.Pipe(duplex=False)
    process = _FRESH.Process(target=act, args=(mutant, sender))
    process.start()
    sender.close()
    try:
        if not receiver.poll(PATIENCE_S):
            return f"hung for {PATIENCE_S} s"
        return str(receiver.recv())
    except EOFError as error:
        process.join()
        raise RuntimeError(f"the hunt for {mutant.name} died with exit code {process.exitcode}") from error
    finally:
        process.kill()
        process.join()


class _FirstFailure:
    """A pytest plugin that remembers the first test that failed."""

    def __init__(self) -> None:
        self.name = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and not self.name:
            self.name = report.nodeid


def _by_tests(mutant: Mutant, sender: Connection) -> None:
    os.chdir(ROOT)
    mutant.install()
    gc.freeze()  # pytest collects garbage ten times at the end, and all that was imported before is none.
    first = _FirstFailure()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        code = pytest.main(["-x", "-q", "-p", "no:cacheprovider", "--tb=no", "--assert=plain", *mutant.tests], [first])
    assert code in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED), f"{mutant.name}: its tests cannot be run"
    sender.send(first.name)


def _by_simulation(mutant: Mutant, sender: Connection) -> None:
    mutant.install()
    from node.lab.simulation.play import play
    from node.lab.simulation.scenarios import SCENARIOS

    assert mutant.simulated is not None
    runs = mutant.simulated
    for seed in range(runs.first, runs.first + runs.seeds):
        violation = play(SCENARIOS[runs.scenario].draw(seed, runs.members)).violation
        if violation is not None:
            sender.send(f"{runs.scenario} seed {seed}: {violation.invariant}")
            return
    sender.send("")

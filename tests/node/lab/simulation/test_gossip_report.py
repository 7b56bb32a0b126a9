"""From tasks to tables and pictures."""

import json
import math
from pathlib import Path

import pytest

from node.lab.simulation.gossip.measure import Measurements, Task, gather, measure, planned, run_task
from node.lab.simulation.gossip.report import table, write
from node.lab.simulation.gossip.summary import summarize
from node.lab.simulation.gossip.targets import targets


@pytest.fixture(scope="module")
def found() -> Measurements:
    tasks = [Task("crashes", 8, 1), Task("crashes", 20, 1), Task("spread", 8, 1, "", 0.3), Task("heal", 8, 1)]
    return Measurements((8, 20), 1, tuple(gather(tasks, {task: run_task(task) for task in tasks})))


def test_summary() -> None:
    """Four samples of mean 2.5 and standard deviation 1.29: 1.96 * 1.29 / 2 to either side."""
    one = summarize("crashes", "first_ms", [1, 2, 3, 4, math.inf], nodes=8)
    assert (one.count, one.never, one.mean, one.p50, one.worst) == (5, 1, 2.5, 3, math.inf)
    assert one.low == pytest.approx(1.235, abs=0.001)
    assert one.high == pytest.approx(3.765, abs=0.001)
    share = summarize("spread", "complete", [1] * 9 + [0], nodes=8)
    assert share.mean == 0.9
    assert share.low == pytest.approx(0.596, abs=0.001)
    none = summarize("stalls", "deaths", [0, 0], nodes=8)  # of none at all, up to 3.69 may be expected (exact Poisson)
    assert (none.mean, none.low) == (0, 0)
    assert none.high == pytest.approx(3.69 / 2, rel=0.01)
    some = summarize("stalls", "deaths", [4, 6], nodes=8)  # of ten, 4.80 to 18.39
    assert some.low == pytest.approx(4.80 / 2, rel=0.01)
    assert some.high == pytest.approx(18.39 / 2, rel=0.01)


def test_plan_holds_every_experiment_at_its_sizes() -> None:
    tasks = planned([10, 10_000], 4)
    assert {task.experiment for task in tasks if task.nodes == 10_000} == {"crashes", "join", "spread"}
    assert {(task.mode, task.loss) for task in tasks if task.experiment == "stalls" and task.nodes == 100} == {
        (mode, loss) for mode in ("lifeguard", "settings", "swim") for loss in (0.0, 0.1, 0.3)
    }
    assert {8, 64} <= {task.nodes for task in tasks if task.experiment == "spread"}
    assert len(set(tasks)) == len(tasks)
    assert sum(task.nodes == 10 for task in tasks) > sum(task.nodes == 10_000 for task in tasks)


def test_sizes_are_checked() -> None:
    with pytest.raises(ValueError, match="4 to 10000"):
        measure([3], 1)
    with pytest.raises(ValueError, match="4 to 10000"):
        measure([10], 0)


def test_processes_find_what_one_process_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures may not depend on how many cores a machine has."""
    tasks = [Task("join", 6, seed) for seed in (1, 2, 3)]
    monkeypatch.setattr("node.lab.simulation.gossip.measure.planned", lambda sizes, seeds: tasks)
    told: list[tuple[int, int]] = []
    one = measure([6], 1, lambda done, total, last: told.append((done, total)), workers=1)
    assert told == [(1, 3), (2, 3), (3, 3)]
    assert measure([6], 1, workers=2) == one


def test_table_and_targets(found: Measurements) -> None:
    text = table(found)
    assert "crash: first suspicion, ms" in text
    assert "first suspicion of a crashed one of 8, periods" in text
    verdicts = {one.what: one.met for one in targets(found)}
    assert verdicts["partition of 8 healed, worst, ms"] is True
    assert verdicts["updates that reach all 8 at 30 % loss by gossip alone"] is True
    assert verdicts["bytes a node sends in a second, 100 members, idle"] is None


def test_files(found: Measurements, tmp_path: Path) -> None:
    """One picture per question, its data beside it, and one document; also of what was not all measured."""
    files = write(found, tmp_path / "new")
    pictures = [file for file in files if file.suffix == ".png"]
    assert len(pictures) == 5
    assert all(file.read_bytes().startswith(b"\x89PNG") and file.stat().st_size > 10_000 for file in pictures)
    rows = (tmp_path / "new" / "detection.csv").read_text().splitlines()
    assert rows[0].startswith("experiment,figure,nodes")
    assert len(rows) == 5  # two figures at two sizes
    document = json.loads((tmp_path / "new" / "gossip.json").read_text())
    assert {one["experiment"] for one in document["summaries"]} == {"crashes", "spread", "heal"}

"""A plan survives being written down: what is replayed from a file is what failed."""

import json

import pytest

from node.lab.simulation.faults import ClockStep, Clog, Crash, Cut, Disk, DiskFull, Leave, Stall
from node.lab.simulation.plan import Ask, Clocks, Liar, Models, Network, Plan, Seat, World

FULL = Plan(
    scenario="everything",
    seed=7,
    world=World.MOOT,
    members=4,
    nodes=5,
    liars=(Liar(3, "mirror"),),
    network=Network(loss=0.25, in_flight_max=3),
    clocks=Clocks(offset_ms_max=5, drift_ppm_max=500),
    models=Models(slow=(1, 2)),
    asks=(Ask(10, 0),),
    seats=(Seat(500, 0, joins=4, leaves=1),),
    faults=(
        Crash(1, 0, -1, 50, Disk.TORN),
        Cut(2, 5, (0, 1), one_way=True),
        Clog(3, 5, 0, 1),
        Stall(4, 5, 2),
        ClockStep(5, 1, -60_000),
        DiskFull(6, 5, 1),
        Leave(7, 5, 2),
    ),
)


def test_written_and_read_again() -> None:
    assert Plan.from_json(FULL.to_json()) == FULL


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda document: document.pop("seed"), id="a field is missing"),
        pytest.param(lambda document: document.update(more=1), id="a field too many"),
        pytest.param(lambda document: document["faults"][0].update(fault="Quake"), id="an unknown fault"),
        pytest.param(lambda document: document["asks"].append({"when": 3}), id="a question of another form"),
    ],
)
def test_what_is_no_plan_is_refused(spoil: object) -> None:
    document = json.loads(FULL.to_json())
    assert callable(spoil)
    spoil(document)
    with pytest.raises(ValueError, match="not a plan"):
        Plan.from_json(json.dumps(document))

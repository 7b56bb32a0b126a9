"""Members that die between the effects of one step: what they said before, they never contradict afterwards."""

import subprocess
import sys

import pytest

from coordinator.effects import Generate
from coordinator.signed import NodeId
from tests.coordinator.network import Network, found

SEEDS = 70


def stormy(seed: int) -> Network:
    """Six questions among members that crash at random, until all are up again and had time."""
    network: Network

    def varied(node: NodeId, request: Generate) -> tuple[str, ...]:
        return tuple(str(network.rng.choice([7, 7, 8])) for _ in range(request.samples))

    network = Network(found(4 + seed % 3), varied, seed, delay_ms=(1, 120))
    network.start()
    network.run(for_ms=500)
    network.crash_chance = network.rng.choice([0.005, 0.02, 0.05])
    network.loss = network.rng.choice([0.0, 0.0, 0.1])
    for number in range(6):
        up = [node for node in network.ids if node in network.nodes]
        if up:
            network.ask(network.rng.choice(up), f"what is {number} + 4?", deadline_ms=3_000)
        network.run(for_ms=network.rng.randint(10, 1_200))
        network.check_agreement()
    network.crash_chance = network.loss = 0.0
    network.run(lambda: len(network.nodes) == len(network.ids), 10_000)
    return network


@pytest.mark.parametrize("seed", range(SEEDS))
def test_who_crashes_at_any_point_never_contradicts_itself(seed: int) -> None:
    """Else an honest member's restart would be evidence against it, or split the moot."""
    network = stormy(seed)
    open_at_all = {name for core in network.nodes.values() for name in core.questions.sessions}
    known = open_at_all.union(*(core.ledger.decided for core in network.nodes.values()))
    assert network.run(lambda: all(known <= core.ledger.decided for core in network.nodes.values()), 60_000)
    assert network.run(lambda: not any(core.ledger.unproven for core in network.nodes.values()), 30_000), "no proof"
    network.check_agreement()
    network.check_words()


def test_members_do_crash_in_these_storms() -> None:
    """Else the test above shows nothing."""
    crashes = [stormy(seed).crashes for seed in range(6)]
    assert sum(crashes) > 20 and sum(map(bool, crashes)) > 4, crashes


def trace(seed: int) -> str:
    network = stormy(seed)
    sent = [record.hex() for node in network.ids for record in network.sent[node]]
    heads = [network.disks[node].head.hex() for node in network.ids]
    return f"{network.now_ms} {network.crashes} {len(sent)} {' '.join(sent)} {' '.join(heads)}"


def test_a_seed_gives_the_same_run_whatever_hashing_does() -> None:
    """Else a failure found by a seed could not be replayed."""
    program = "from tests.coordinator.test_crashes import trace; print(trace(3)); print(trace(8))"
    traces = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": hash_seed, "PYTHONPATH": "."},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        ).stdout
        for hash_seed in ("0", "1", "4711")
    }
    assert len(traces) == 1
    assert len(traces.pop()) > 10_000

"""A simulated moot of production cores: equal runs, everybody heard, and figures near what theory says."""

import os
import subprocess
import sys
from statistics import mean

from node.lab.simulation.gossip import experiments, theory
from node.lab.simulation.gossip.calendar import Calendar
from node.lab.simulation.gossip.pauses import accuser, stalls
from node.lab.simulation.gossip.sizes import envelope_size
from node.lab.simulation.gossip.world import SEQUENCE, Wires, World
from node.membership.events import Status
from node.membership.messages import Ping
from node.membership.settings import MembershipSettings

SETTINGS = MembershipSettings()


def test_a_calendar_gives_things_in_order() -> None:
    """Entries of one millisecond in the order of their coming, and those that come up while a day is under way."""
    calendar: Calendar[str] = Calendar()
    for at_ms, thing in ((5, "c"), (2, "a"), (5, "d"), (9, "x")):
        calendar.enter(at_ms, thing)
    seen = []
    for at_ms, day in calendar.take(9):
        seen += [(at_ms, thing) for thing in day]
        if at_ms == 2:
            calendar.enter(3, "b")
    assert seen == [(2, "a"), (3, "b"), (5, "c"), (5, "d")]
    assert [at_ms for at_ms, _ in calendar.take(10)] == [9]


def test_a_seed_is_a_run_whatever_the_hashes() -> None:
    """If this fails, no figure can be measured again."""
    code = (
        "from node.lab.simulation.gossip import experiments as e, pauses as p\n"
        "print(e.crashes(20, 7), e.spread(20, 7, loss=0.2, count=1), p.stalls(30, 7, for_ms=20_000))"
    )
    runs = []
    for seed in ("0", "1"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)}
        done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
        runs.append(done.stdout)
    assert runs[0] == runs[1]
    assert "first_ms" in runs[0]


def test_first_suspicion_is_near_theory() -> None:
    """Sixteen members, thirty crashes: theory says 1.89 s on average, give or take .18 s."""
    samples = [experiments.crashes(16, seed, count=1, idle_ms=1_000)["first_ms"][0] for seed in range(30)]
    expected_ms = theory.walk_first_suspicion_ms(SETTINGS, 16, 50)
    assert abs(mean(samples) - expected_ms) < 600
    assert max(samples) <= theory.swim_worst_periods(16) * SETTINGS.probe_interval_ms


def test_a_crash_is_dead_to_everybody_after_the_shortest_suspicion_at_the_soonest() -> None:
    samples = experiments.crashes(20, 3)
    shortest_ms, longest_ms = theory.suspicion_ms_bounds(SETTINGS, 19)
    for first_ms, all_ms in zip(samples["first_ms"], samples["all_ms"], strict=True):
        assert first_ms + shortest_ms <= all_ms < first_ms + longest_ms


def test_idle_bytes_are_what_the_messages_take() -> None:
    """Every byte of the world is the size of one message, and idle traffic is what probes and exchanges cost."""
    world = World(1, 30, SETTINGS)
    world.start_converged()
    world.run(60_000)
    assert sum(world.bytes_by_kind.values()) == world.bytes == sum(host.bytes for host in world.hosts)
    ping = envelope_size(Ping(50, bytes(16), bytes(32)), SEQUENCE)
    assert abs(world.bytes_by_kind[Ping] / ping - 30 * 60) < 40
    expected = theory.idle_bytes_per_second(SETTINGS, 30)
    assert abs(world.bytes / 60 / 30 - expected) < 0.05 * expected


def test_loss_cuts_and_stalls_do_what_they_say() -> None:
    world = World(1, 8, SETTINGS, Wires(loss=0.5))
    world.start_converged()
    world.run(20_000)
    assert world.census.suspected_ms, "half of all messages are lost, and nobody is suspected"

    cut = World(2, 8, SETTINGS)
    cut.start_converged()
    cut.partition([0, 0, 0, 0, 1, 1, 1, 1])
    cut.run(60_000)
    assert {(one.observer < 4) is (one.subject < 4) for one in cut.census.verdicts} == {False}
    assert cut.census.dead_at == [4] * 8
    cut.partition(None)
    assert cut.run(300_000, lambda: cut.census.all_alive(8))

    still = World(3, 8, SETTINGS)
    still.start_converged()
    still.run(5_000)
    still.stall(0, 60_000)
    assert still.run(60_000, lambda: still.census.dead_at[0] == 7)
    assert not still.census.dead[0], "who did not run convicts nobody"
    assert still.run(120_000, lambda: still.census.all_alive(8))


def test_the_census_counts_what_the_cores_hold() -> None:
    """The counts come from changes alone; the cores' own tables must say the same."""
    world = World(4, 12, SETTINGS)
    world.start_converged(*range(11))
    world.run(3_000)
    world.start(11)
    world.crash(3)
    world.run(40_000)
    for host in world.live:
        assert host.core is not None
        views = [view for view in host.core.members() if view.node != world.ids[host.number]]
        dead = {world.numbers[view.node] for view in views if view.status is Status.DEAD}
        assert world.census.alive[host.number] == sum(view.status is Status.ALIVE for view in views) == 10
        assert set(world.census.dead[host.number]) == dead == {3}


def test_everybody_hears_news_joins_restarts_and_heals() -> None:
    samples = experiments.spread(40, 1, loss=0.1, count=2)
    assert samples["complete"] == [1, 1]
    assert max(samples["all_ms"]) < 2_000
    assert experiments.join(20, 1)["knows_ms"][0] < 60_000
    assert experiments.restart(20, 1)["alive_ms"][0] < 30_000
    healed = experiments.heal(10, 1)
    assert healed["parted"] == [1.0]
    assert healed["healed_ms"][0] < 90_000


def test_news_are_heard_once_however_often_the_teller_is_suspected() -> None:
    """At a third of loss, suspicions of the teller come in between: who pardons it with its new record has the news."""
    samples = experiments.spread(24, 5, loss=0.33, count=3)
    assert all(share <= 1.0 for share in samples["reached"])
    assert mean(samples["reached"]) > 0.95


def test_lifeguard_spares_the_well() -> None:
    """The comparison would prove nothing if plain SWIM did no harm either."""
    deaths = {mode: stalls(24, 1, mode=mode, loss=0.35, for_ms=40_000)["deaths"][0] for mode in ("lifeguard", "swim")}
    assert deaths["lifeguard"] == 0
    assert deaths["swim"] > 0


def test_one_accuser_kills_nobody() -> None:
    samples = accuser(10, 1)
    assert samples["deaths"] == [0]
    assert samples["suspected"][0] >= 8, "its accusations must at least be heard"

"""The checks of the moot world see what they are for: each invariant is broken on purpose, and its name comes back."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from coordinator.assembly import Assembly
from coordinator.effects import Save, SaveEntry, SaveStatements, SaveVoting
from coordinator.events import Generated
from coordinator.ledger.agenda import Agenda, Item
from coordinator.moot import Moot
from coordinator.questions import OpenQuestions
from coordinator.records import Cost
from coordinator.restored import Restored
from node.lab.simulation.faults import ClockStep, Crash, Cut, Disk
from node.lab.simulation.lies.liar import Message
from node.lab.simulation.moot.disk import HostDisk
from node.lab.simulation.moot.host import Host
from node.lab.simulation.moot.model import HostModel
from node.lab.simulation.moot.mouth import Mouth
from node.lab.simulation.moot.views import Views
from node.lab.simulation.moot.world import MootWorld, play_moot
from node.lab.simulation.outcome import Violated
from node.lab.simulation.plan import Ask, Liar, Models, Network, Plan, World
from node.lab.simulation.watch import Watch
from node.membership.cases import Cases
from node.membership.core import Membership
from node.membership.defence import Defence
from node.membership.events import MemberChanged, Status
from node.membership.messages import MembershipMessage
from node.membership.suspicion import Countdown

PLAN = Plan(
    scenario="test",
    seed=1,
    world=World.MOOT,
    members=4,
    nodes=4,
    asks=tuple(Ask(1_000 + 1_500 * number, number % 4) for number in range(4)),
    heal_ms=10_000,
    budget_ms=60_000,
)


def broken(plan: Plan, make_host: Callable[..., Host] = Host) -> str | None:
    violation = play_moot(plan, Watch(), make_host).violation
    return None if violation is None else violation.invariant


def with_disk(disk: type[HostDisk]) -> Callable[..., Host]:
    def make(*parts: Any) -> Host:
        host = Host(*parts)
        host.disk = disk()
        return host

    return make


def test_a_sound_moot_breaks_nothing() -> None:
    """Else all tests below would show nothing."""
    assert broken(PLAN) is None


@pytest.mark.parametrize("forgotten", [SaveVoting, "records"])
def test_what_is_sent_before_it_is_saved_is_seen(forgotten: Any) -> None:
    """Else a node might contradict after a crash what it said before."""

    class Forgets(HostDisk):
        def save(self, writes: Sequence[Save]) -> None:
            if forgotten == "records":
                writes = [write for write in writes if isinstance(write, SaveEntry | SaveStatements | SaveVoting)]
            else:
                writes = [write for write in writes if not isinstance(write, forgotten)]
            HostDisk.save(self, writes)

    assert broken(PLAN, with_disk(Forgets)) == "saved-first"


def test_a_member_that_contradicts_itself_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """A node that forgets its voting state, and votes without asking whether others remember it."""

    class LosesVotes(HostDisk):
        def restored(self) -> Restored:
            return replace(HostDisk.restored(self), voting=None)

    monkeypatch.setattr(Assembly, "may_vote", property(lambda self: True, lambda self, may: None), raising=False)
    monkeypatch.setattr(Assembly, "_own_came_back", lambda self, record: [])
    asks = tuple(Ask(1_000 + 700 * number, number % 4, 1_000) for number in range(12))
    rough = replace(PLAN, asks=asks, network=Network(delay_mean_ms=150), models=Models(wrong=0.5))
    for seed in range(20):
        faults = tuple(Crash(1_300 + 500 * number, number % 4, 2, 60) for number in range(16))
        found = broken(replace(rough, seed=seed, faults=faults), with_disk(LosesVotes))
        if found is not None:
            assert found == "history"
            return
    pytest.fail("no seed of twenty showed it")


def test_halves_that_decide_alone_are_seen_to_disagree() -> None:
    """The negative control: a threshold of two in a moot of four cannot be safe."""
    plan = replace(
        PLAN,
        threshold=2,
        asks=(Ask(2_000, 0), Ask(2_000, 3)),
        faults=(Cut(1_900, 8_000, (0, 1)),),
        heal_ms=20_000,
    )
    assert broken(replace(plan, threshold=0)) is None
    assert broken(plan) == "agreement"


def test_liars_beyond_the_bound_are_seen_to_split_a_moot() -> None:
    """Two of four lie and two are enough for a quorum: then no protocol helps, and the checks must say so."""
    for seed in range(30):
        liars = (Liar(2, "mirror"), Liar(3, "equivocator"))
        network = Network(delay_mean_ms=100, loss=0.2)
        asks = tuple(Ask(1_000 + 300 * number, number % 2) for number in range(10))
        found = broken(replace(PLAN, seed=seed, threshold=2, liars=liars, network=network, asks=asks))
        if found == "agreement":
            return
    pytest.fail("no seed of thirty showed it")


def test_a_cost_that_the_model_did_not_count_is_seen() -> None:
    """Else a bill could be wrong by a token and nobody would know."""

    class Rounds(HostModel):
        def _answer(self, request: Any) -> Generated:
            event = HostModel._answer(self, request)
            return replace(event, cost=event.cost + Cost(generated_tokens=1))

    def make(number: int, surroundings: Any, signer: Any, clock: Any, model: Any) -> Host:
        rounded = Rounds(number, Models(), 1, surroundings.timeline)
        return Host(number, surroundings, signer, clock, rounded)

    assert broken(PLAN, make) == "accounting"


def test_a_ledger_that_forgets_is_seen() -> None:
    """Else what a node told its people could be gone after a crash."""

    class LosesEntries(HostDisk):
        def restored(self) -> Restored:
            return Restored(records=HostDisk.restored(self).records)

    assert broken(replace(PLAN, faults=(Crash(4_000, 1, 0, 100),)), with_disk(LosesEntries)) == "durability"


def test_an_epoch_that_falls_is_seen() -> None:
    """Else a restarted node could be taken for an older run of itself."""

    class NoEpoch(HostDisk):
        def next_epoch(self, wall_ms: int) -> int:
            return wall_ms

    plan = replace(PLAN, faults=(ClockStep(2_000, 1, -100_000), Crash(3_000, 1, 0, 100)))
    assert broken(plan) is None
    assert broken(plan, with_disk(NoEpoch)) == "keys"


def test_a_death_before_its_time_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a short stall could cost a healthy member its place."""
    plan = replace(PLAN, faults=(Cut(2_000, 6_000, (0,)),), heal_ms=20_000)
    assert broken(plan) is None
    monkeypatch.setattr(Countdown, "lasts_ms", property(lambda self: 100))
    assert broken(plan) == "false-death"


def test_the_death_of_a_healthy_member_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """One liar accuses everybody; when nobody refutes, nobody may die of it without being noticed."""
    plan = replace(PLAN, liars=(Liar(3, "accuser"),), heal_ms=150_000, budget_ms=1)
    assert broken(replace(plan, budget_ms=120_000)) is None
    refute = Defence.hear_accusation

    def refute_for_a_minute(self: Defence, suspicion: Any, accuser: bytes, sender: bytes) -> None:
        if self.local.now_ms < self.local.own.since_ms + 60_000:
            refute(self, suspicion, accuser, sender)

    monkeypatch.setattr(Defence, "hear_accusation", refute_for_a_minute)
    monkeypatch.setattr(Cases, "acknowledge", lambda self, member, ack: True)
    assert broken(plan) == "false-death"


def test_a_member_that_left_and_is_held_dead_is_seen() -> None:
    """Else a goodbye would be worth nothing."""
    world = MootWorld(PLAN, Watch())
    world.timeline.run(2_000)
    host, other = world.hosts[0], world.hosts[1].node
    views: Views = world.checks.views
    views.changed(host, MemberChanged(other, Status.ALIVE, Status.LEFT), 2_000)
    with pytest.raises(Violated, match="left-held-dead"):
        views.changed(host, MemberChanged(other, Status.LEFT, Status.DEAD), 2_000)


def test_a_dead_liar_that_nobody_notices_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else members would wait for one that is gone, question after question."""
    plan = replace(PLAN, liars=(Liar(3, "two-answers"),))
    assert broken(plan) is None
    monkeypatch.setattr(Cases, "_declare_dead", lambda self, member: None)
    assert broken(plan) == "unnoticed"


@pytest.mark.parametrize(
    ("mute", "invariant"),
    [
        pytest.param(MembershipMessage, "not-all-alive", id="no word of membership"),
        pytest.param(object, "undecided", id="no word at all"),
    ],
)
def test_who_cannot_be_heard_is_missed(monkeypatch: pytest.MonkeyPatch, mute: Any, invariant: str) -> None:
    """Else a moot could stand still for ever and the run be called good."""
    say = Mouth.say

    def say_less(self: Mouth, to: bytes | None, address: str, message: Message) -> None:
        if self._number > 1 or not isinstance(message, mute):
            say(self, to, address, message)

    monkeypatch.setattr(Mouth, "say", say_less)
    asks = () if invariant == "not-all-alive" else PLAN.asks
    assert broken(replace(PLAN, asks=asks)) == invariant


def test_a_flood_without_limits_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else one asker could fill everybody's memory."""
    plan = replace(PLAN, liars=(Liar(3, "question-flood"),), heal_ms=30_000, budget_ms=120_000)
    monkeypatch.setattr(OpenQuestions, "_no_room", lambda self, asker: None)
    monkeypatch.setattr("node.lab.simulation.moot.limits.OPEN_MAX", 4)
    assert broken(plan) == "memory"


def test_ballots_that_rise_for_ever_are_seen() -> None:
    """Else a moot that never gets anywhere would only look slow."""
    world = MootWorld(PLAN, Watch())
    world.run()
    world.checks.settle()
    counters = world.checks.words[world.hosts[0].node].counters
    counters[99] = 10
    world.checks.check_rise()
    counters[99] = 11
    with pytest.raises(Violated, match="livelock"):
        world.checks.check_rise()


def decided() -> tuple[MootWorld, Agenda]:
    """A world before its first event, and an agenda that such a moot did decide."""
    world = MootWorld(PLAN, Watch())
    world.run()
    fresh = MootWorld(PLAN, Watch())
    for host, other in zip(fresh.hosts, world.hosts, strict=True):
        host.model.counted = other.model.counted
    return fresh, world.checks.decisions.agendas[0]


def save(world: MootWorld, agenda: Agenda, host: int = 0) -> None:
    header, names = agenda.header, tuple(item.id for item in agenda.items)
    world.checks.saved(world.hosts[host], [SaveEntry(header.slot, agenda.digest, agenda.encode(), names)])


def test_agendas_that_no_honest_member_could_decide_are_seen() -> None:
    """Else validity would only be what the core says of itself."""
    world, good = decided()
    [item] = good.items
    head = world.genesis.moot_id
    forged = replace(item.preferences[0], signature=bytes(64))
    wrong = {
        "nothing": Agenda.of(0, head, 0, []),
        "another head": Agenda.of(0, b"x" * 32, 0, [item]),
        "a forged preference": Agenda.of(0, head, 0, [replace(item, preferences=(forged, *item.preferences[1:]))]),
    }
    for agenda in wrong.values():
        with pytest.raises(Violated, match="validity"):
            save(decided()[0], agenda)
    save(world, good)
    with pytest.raises(Violated, match="twice"):
        save(world, Agenda.of(1, good.digest, 0, [item]))
    less = Item(item.question, item.proposals[1:], item.preferences[1:])
    with pytest.raises(Violated, match="agreement"):
        save(world, Agenda.of(0, head, 0, [less]), host=1)


def test_a_core_that_fails_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever plays a plan is told of it like of any broken invariant."""
    monkeypatch.setattr(Moot, "step", lambda self, event, now_ms: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        play_moot(PLAN, Watch())


def test_a_core_that_wants_to_wake_in_the_past_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else it would spin for ever."""
    monkeypatch.setattr(Membership, "next_deadline_ms", lambda self: 0)
    with pytest.raises(AssertionError):
        play_moot(replace(PLAN, faults=(Crash(1_000, 0, 0, 1, Disk.KEPT),)), Watch())

"""The ways to make a plan smaller: each proposes plans, hears whether they still fail, and goes on from there."""

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import fields, replace
from functools import partial
from itertools import pairwise
from typing import Any, TypeAlias, TypeVar

from node.lab.simulation.faults import FAULTS, Clog, Crash, Cut, Disk, Fault
from node.lab.simulation.limits import asked_ms, end_ms, nodes_of
from node.lab.simulation.plan import Ask, Clocks, Models, Network, Plan, Seat, World

T = TypeVar("T")

Trial: TypeAlias = Generator[Plan, bool, None]
Way: TypeAlias = Callable[[Plan], Trial]

TIME_MS_LEAST = 10
"""Times are not made shorter than this: it would say nothing more."""
PAUSES_MAX = 20
"""Taken out in one go."""


def troubles(network: Network) -> int:
    """In how many ways it is worse than a good one."""
    return sum(getattr(network, field.name) != field.default for field in fields(Network))


def without_whole_classes(plan: Plan) -> Trial:
    """All faults, or all of one kind; all liars; all that is wrong with network, clocks or models."""
    return _in_turn(
        plan,
        lambda p: replace(p, faults=()),
        *(partial(_without_kind, kind=kind) for kind in FAULTS),
        lambda p: replace(p, liars=()),
        lambda p: replace(p, network=Network()),
        lambda p: replace(p, clocks=Clocks()),
        lambda p: replace(p, models=Models()),
        lambda p: replace(p, seats=()),
        lambda p: replace(p, ed25519=False),
    )


def better_network(plan: Plan) -> Trial:
    return _in_turn(plan, *(partial(_with_good, name=field.name, value=field.default) for field in fields(Network)))


def fewer_slots(plan: Plan) -> Trial:
    """From one on: a plan with few costs little to try."""
    count = 1
    while plan.world is World.SLOTS and count < plan.slots:
        if (yield replace(plan, slots=count)):
            return
        count = max(count + 1, min(2 * count, plan.slots - 1)) if count < plan.slots - 1 else plan.slots


def fewer_faults(plan: Plan) -> Trial:
    return _fewer(plan.faults, lambda some: replace(plan, faults=some))


def fewer_questions(plan: Plan) -> Trial:
    return _fewer(plan.asks, lambda some: replace(plan, asks=some))


def fewer_seats(plan: Plan) -> Trial:
    return _fewer(plan.seats, lambda some: replace(plan, seats=some))


def fewer_liars(plan: Plan) -> Trial:
    return _fewer(plan.liars, lambda some: replace(plan, liars=some))


def fewer_members(plan: Plan) -> Trial:
    """One member less: whatever was its own goes with it, and those behind it move up."""
    for gone in reversed(range(plan.members)):
        if plan.members > 1 and (yield (fewer := _without(plan, gone))):
            plan = fewer


def fewer_newcomers(plan: Plan) -> Trial:
    used = {node for seat in plan.seats for node in (seat.joins, seat.leaves)}
    used |= {node for fault in plan.faults for node in nodes_of(fault)}
    yield replace(plan, nodes=max([plan.members, *(node + 1 for node in used)]))


def shorter(plan: Plan) -> Trial:
    """Everything is over sooner: without what comes after the last thing, without pauses, all in half the time."""
    last = [end_ms(fault) for fault in plan.faults] + asked_ms(plan)
    if (yield (cut := replace(plan, heal_ms=max([0, *last])))):
        plan = cut
    for _ in range(PAUSES_MAX):
        for at_ms, length_ms in _pauses(plan):
            if (yield (moved := _moved(plan, partial(_sooner, after_ms=at_ms, by_ms=length_ms)))):
                plan = moved
                break
        else:
            break
    while plan.heal_ms > TIME_MS_LEAST and (yield (halved := _moved(plan, lambda ms: ms // 2))):
        plan = halved


def milder_faults(plan: Plan) -> Trial:
    """Disks that lose nothing, cuts of fewer members, shorter times."""
    for place in range(len(plan.faults)):
        for milder in _milder(plan.faults[place]):
            faults = (*plan.faults[:place], milder, *plan.faults[place + 1 :])
            if (yield replace(plan, faults=faults)):
                plan = replace(plan, faults=faults)
                break


WAYS: tuple[Way, ...] = (
    without_whole_classes,
    fewer_slots,
    fewer_faults,
    fewer_questions,
    fewer_seats,
    fewer_liars,
    fewer_members,
    fewer_newcomers,
    better_network,
    shorter,
    milder_faults,
)


def _in_turn(plan: Plan, *steps: Callable[[Plan], Plan]) -> Trial:
    for step in steps:
        if (yield (stepped := step(plan))):
            plan = stepped


def _fewer(things: Sequence[T], made: Callable[[tuple[T, ...]], Plan]) -> Trial:
    """Without each half, each quarter, and so on to each single one (Zeller and Hildebrandt, TSE 2002)."""
    left, length = tuple(things), len(things)
    while length > 0:
        start = 0
        while start < len(left):
            some = (*left[:start], *left[start + length :])
            if (yield made(some)):
                left = some
            else:
                start += length
        length //= 2


def _without_kind(plan: Plan, kind: type[Fault]) -> Plan:
    return replace(plan, faults=tuple(fault for fault in plan.faults if not isinstance(fault, kind)))


def _with_good(plan: Plan, name: str, value: Any) -> Plan:
    return replace(plan, network=replace(plan.network, **{name: value}))


def _sooner(ms: int, after_ms: int, by_ms: int) -> int:
    return ms - by_ms if ms > after_ms else ms


def _pauses(plan: Plan) -> list[tuple[int, int]]:
    """Where nothing begins or ends, the longest first: when it starts and how long it is."""
    times = {0, plan.heal_ms, *asked_ms(plan)}
    for fault in plan.faults:
        times |= {fault.at_ms, end_ms(fault)}
    ordered = sorted(times)
    pauses = [(before, after - before) for before, after in pairwise(ordered)]
    return sorted((pause for pause in pauses if pause[1] > TIME_MS_LEAST), key=lambda pause: -pause[1])


def _moved(plan: Plan, when: Callable[[int], int]) -> Plan:
    """The plan on another time scale; what has a length keeps it from its new begin to its new end."""
    return replace(
        plan,
        heal_ms=when(plan.heal_ms),
        asks=tuple(replace(ask, at_ms=when(ask.at_ms)) for ask in plan.asks),
        seats=tuple(replace(seat, at_ms=when(seat.at_ms)) for seat in plan.seats),
        faults=tuple(_moved_fault(fault, when) for fault in plan.faults),
    )


def _moved_fault(fault: Fault, when: Callable[[int], int]) -> Fault:
    moved: dict[str, Any] = {"at_ms": when(fault.at_ms)}
    name = _length_of(fault)
    if name is not None:
        moved[name] = max(1, when(end_ms(fault)) - moved["at_ms"])
    return replace(fault, **moved)


def _length_of(fault: Fault) -> str | None:
    return next((field.name for field in fields(fault) if field.name in ("for_ms", "down_ms", "away_ms")), None)


def _milder(fault: Fault) -> Iterator[Fault]:
    match fault:
        case Crash(disk=disk) if disk is not Disk.KEPT:
            yield replace(fault, disk=Disk.KEPT)
        case Cut(side=side) if len(side) > 1:
            yield replace(fault, side=side[:1])
            yield replace(fault, side=side[: len(side) // 2])
            yield replace(fault, side=side[:-1])
        case _:
            pass
    name = _length_of(fault)
    if name is not None and getattr(fault, name) > TIME_MS_LEAST:
        yield replace(fault, **{name: max(TIME_MS_LEAST, getattr(fault, name) // 4)})


def _without(plan: Plan, gone: int) -> Plan:
    def moved(node: int) -> int:
        return node - 1 if node > gone else node

    asks = tuple(Ask(ask.at_ms, moved(ask.node), ask.deadline_ms) for ask in plan.asks if ask.node != gone)
    seats = tuple(
        Seat(seat.at_ms, moved(seat.by), moved(seat.joins), moved(seat.leaves))
        for seat in plan.seats
        if gone not in (seat.by, seat.joins, seat.leaves)
    )
    liars = tuple(replace(liar, node=moved(liar.node)) for liar in plan.liars if liar.node != gone)
    slow = tuple(moved(node) for node in plan.models.slow if node != gone)
    return replace(
        plan,
        members=plan.members - 1,
        nodes=plan.nodes - 1,
        threshold=min(plan.threshold, plan.members - 1),
        liars=liars,
        asks=asks,
        seats=seats,
        models=replace(plan.models, slow=slow),
        faults=tuple(kept for fault in plan.faults for kept in _renumbered(fault, gone, moved)),
    )


def _renumbered(fault: Fault, gone: int, moved: Callable[[int], int]) -> Iterator[Fault]:
    match fault:
        case Cut(side=side):
            rest = tuple(moved(node) for node in side if node != gone)
            if rest:
                yield replace(fault, side=rest)
        case Clog(sender=sender, receiver=receiver):
            if gone not in (sender, receiver):
                yield replace(fault, sender=moved(sender), receiver=moved(receiver))
        case _:
            if fault.node != gone:
                yield replace(fault, node=moved(fault.node))

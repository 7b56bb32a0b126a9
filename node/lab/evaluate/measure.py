"""Draws what all ways need from every member, then lets each way count; at last the best member at the team's cost."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from coordinator.signed import NodeId
from node.lab.evaluate.baseline import SAMPLES_MAX, next_round
from node.lab.evaluate.case import Case, Reply, draw_of, favourite, joined
from node.lab.evaluate.exchanges import Request, Terms
from node.lab.evaluate.items import Item
from node.lab.evaluate.team import Team
from node.lab.evaluate.ways import WAYS, Verdict, apply
from node.model.engine import Ability

REQUEST_SAMPLES_MAX = 16
"""A request of many samples holds its places in the model until the longest has ended."""
CHUNK = 80
"""Questions for which all is done before the next: what is complete can be reported whenever a person ends it."""


class Watcher(Protocol):
    """Hears how far the work is."""

    def begins(self, what: str, steps: int, parts: int = 1) -> Callable[[], None]:
        """Some work of so many steps begins; the function is called after each of a step's parts."""
        ...

    def completed(self, questions: int) -> None:
        """All is known by now of so many questions."""
        ...


@dataclass(slots=True)
class Measured:
    """All that was found out.

    Args:
        members: their names.
        parameters: of their models.
        digests: of their models' files.
        ways: names of those that were tried on every question of `cases`.
        is_equal: the best members have drawn all samples that a team's cost and `alone_max` allow.
        notes: for people, what is not as asked for.
    """

    members: tuple[str, ...]
    parameters: tuple[int, ...]
    digests: tuple[bytes, ...]
    ways: tuple[str, ...]
    cases: list[Case] = field(default_factory=list)
    verdicts: dict[str, list[Verdict]] = field(default_factory=dict)
    is_equal: bool = False
    notes: list[str] = field(default_factory=list)
    nodes: tuple[NodeId, ...] = ()
    """Of the members of a live moot."""
    failed: dict[str, int] = field(default_factory=dict)
    """Requests that failed, by what was said of it."""
    asked: int = 0
    """Questions that were to be measured."""
    alone_max: int = SAMPLES_MAX
    """Samples that a member alone may draw for one question, whatever the team's cost."""

    @property
    def is_whole(self) -> bool:
        return self.is_equal and len(self.cases) == self.asked

    def groups(self) -> list[str]:
        return sorted({case.item.group for case in self.cases})

    def places(self, group: str | None) -> list[int]:
        """Of the cases of a group; None for all."""
        return [place for place, case in enumerate(self.cases) if group in (None, case.item.group)]

    def is_right(self, place: int, member: int) -> bool:
        """Whether a member's most frequent answer was right."""
        case = self.cases[place]
        return favourite(case.item, case.drawn[member].counts) == case.item.right

    def best_member(self, group: str | None) -> int:
        """The one with the most right answers, here and now; of equals the first."""
        places = self.places(group)
        return max(
            range(len(self.members)), key=lambda m: (sum(self.is_right(place, m) for place in places), -m), default=0
        )


async def measure(
    team: Team, items: Sequence[Item], ways: Sequence[str], terms: Terms, watcher: Watcher, measured: Measured
) -> None:
    """Fill `measured`, chunk by chunk: whatever ends this, what is in it is whole."""
    measured.asked = len(items)
    if terms.temperature == 0:
        measured.alone_max = 1  # Further samples would be the same.
    asking = [name for name in measured.ways if WAYS[name].asks is not None]
    members = len(measured.members)
    tick = watcher.begins("questions", len(items), members * (1 + ("alone" in ways) + len(asking)))
    for start in range(0, len(items), CHUNK):
        cases = await _first_draws(team, items[start : start + CHUNK], "alone" in ways, terms, tick, measured)
        await _exchange(team, asking, cases, terms, tick, measured)
        measured.cases += cases
        for name in measured.ways:
            measured.verdicts.setdefault(name, []).extend(apply(name, WAYS[name], case) for case in cases)
        watcher.completed(len(measured.cases))
    await equalize(team, terms, watcher, measured)
    measured.is_equal = True


def prepare(team: Team, ways: Sequence[str]) -> Measured:
    """What will be measured, once the team has met. A way that a member lacks the ability for is left out."""
    infos = [team.infos[member] for member in range(len(team.members))]
    measured = Measured(
        tuple(seat.name for seat in team.members),
        tuple(info.parameters for info in infos),
        tuple(info.digest for info in infos),
        (),
    )
    for name in ways:
        if name not in WAYS:
            continue  # Of single members.
        unable = [seat.name for place, seat in enumerate(team.members) if not team.is_able(place, Ability.SCORE)]
        if name == "scored" and unable:
            measured.notes.append(f"scored: left out, as {', '.join(unable)} cannot say how likely a text is")
        elif len(infos) < 2:
            measured.notes.append(f"{name}: left out, as it takes two members")
        elif name == "cascade" and len(set(measured.parameters)) < 2:
            measured.notes.append("cascade: left out, as all models are of one size")
        else:
            measured.ways += (name,)
    return measured


async def _first_draws(
    team: Team, items: Sequence[Item], greedy: bool, terms: Terms, tick: Callable[[], None], measured: Measured
) -> list[Case]:
    replies: dict[int, list[Reply]] = {}

    async def answer(member: int) -> None:
        requests: list[Request] = [terms.draw(item.prompt, terms.samples, member) for item in items]
        requests += [terms.greedy(item.prompt) for item in items] if greedy else []
        replies[member] = await team.ask(member, requests, tick)
        _note_failures(measured, replies[member])

    members = range(len(measured.members))
    await team.each(members, answer)
    cases = []
    for place, item in enumerate(items):
        drawn = tuple(draw_of(item, replies[member][place]) for member in members)
        likeliest = tuple(draw_of(item, replies[member][len(items) + place]) for member in members) if greedy else ()
        cases.append(Case(item, drawn, likeliest, sizes=measured.parameters))
    return cases


async def _exchange(
    team: Team, names: Sequence[str], cases: Sequence[Case], terms: Terms, tick: Callable[[], None], measured: Measured
) -> None:
    """All that ways ask after the samples. No way builds on another, so a member goes through all of them at once."""
    members = range(len(measured.members))
    replies: dict[tuple[str, int], list[tuple[Reply, ...]]] = {}

    async def answer(member: int) -> None:
        for name in names:
            asks = WAYS[name].asks
            assert asks is not None, "only those that ask"
            requests = [asks(case, member, terms) for case in cases]
            flat = [request for some in requests for request in some]
            found = await team.ask(member, flat, lambda: None)
            _note_failures(measured, found)
            rest = iter(found)
            replies[name, member] = [tuple(next(rest) for _ in some) for some in requests]
            for _ in cases:
                tick()

    await team.each(members if names else (), answer)
    for place, case in enumerate(cases):
        case.replies |= {name: tuple(replies[name, member][place] for member in members) for name in names}


async def equalize(team: Team, terms: Terms, watcher: Watcher, measured: Measured) -> None:
    """Let the best member of each group, and of all, draw until its tokens reach those of the dearest way."""
    best = {group: measured.best_member(group) for group in [None, *measured.groups()]}
    places = {
        member: sorted({place for group, one in best.items() if one == member for place in measured.places(group)})
        for member in sorted(set(best.values()))
    }
    if not measured.ways:
        return
    tick = watcher.begins("questions of the best members alone", sum(map(len, places.values())))

    async def fill(member: int) -> None:
        await _fill(team, member, places[member], terms, tick, measured)

    await team.each(places, fill)


async def _fill(
    team: Team, member: int, places: Sequence[int], terms: Terms, tick: Callable[[], None], measured: Measured
) -> None:
    """In rounds, each of as few samples as may settle the answers."""
    while places:
        requests, owners = list[Request](), list[int]()
        for place in places:
            case = measured.cases[place]
            dearest = max(verdicts[place].spent.tokens for verdicts in measured.verdicts.values())
            samples = next_round(case, member, dearest, measured.alone_max)
            if not samples:
                tick()
            for start in range(0, samples, REQUEST_SAMPLES_MAX):
                about = (len(case.pool(member).answers) + start, member)
                count = min(REQUEST_SAMPLES_MAX, samples - start)
                requests.append(terms.draw(case.item.prompt, count, "more", *about))
                owners.append(place)
        replies = await team.ask(member, requests, lambda: None)
        _note_failures(measured, replies)
        for place, reply in zip(owners, replies, strict=True):
            case = measured.cases[place]
            case.pools[member] = joined(case.pool(member), draw_of(case.item, reply))
        if all(reply.result is None for reply in replies):
            return
        places = sorted(set(owners))


def _note_failures(measured: Measured, replies: Sequence[Reply]) -> None:
    for reply in replies:
        if reply.result is None:
            measured.failed[reply.error] = measured.failed.get(reply.error, 0) + 1

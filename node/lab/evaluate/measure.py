"""Draws what all ways need from every member, then lets each way count; at last the best member at the team's cost."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from coordinator.signed import NodeId
from node.lab.evaluate.case import NOTHING, Case, Draw, Reply, draw_of, favourite, joined
from node.lab.evaluate.exchanges import Request, Terms
from node.lab.evaluate.items import Item
from node.lab.evaluate.spent import Spent
from node.lab.evaluate.team import Team
from node.lab.evaluate.ways import WAYS, Verdict, apply
from node.model.engine import Ability

POOL_MAX = 320
"""Samples of one member on one question. More agree with these, and a team's cost may allow any number."""
REQUEST_SAMPLES_MAX = 16
"""A request of many samples holds its places in the model until the longest has ended."""
CHUNK = 240
"""Questions for which all is done before the next: what is complete can be reported whenever a person ends it."""


class Watcher(Protocol):
    """Hears how far the work is."""

    def begins(self, what: str, steps: int) -> Callable[[], None]:
        """Some work of so many steps begins; the function is called after each."""
        ...


@dataclass(slots=True)
class Measured:
    """All that was found out.

    Args:
        members: their names.
        parameters: of their models.
        digests: of their models' files.
        ways: names of those that were tried on every question of `cases`.
        is_equal: the best members have drawn as many samples as a team's cost allows.
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
    for start in range(0, len(items), CHUNK):
        cases = await _first_draws(team, items[start : start + CHUNK], "alone" in ways, terms, watcher, measured)
        for name in measured.ways:
            await _exchange(team, name, cases, terms, watcher, measured)
        measured.cases += cases
        for name in measured.ways:
            measured.verdicts.setdefault(name, []).extend(apply(name, WAYS[name], case) for case in cases)
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
    team: Team, items: Sequence[Item], greedy: bool, terms: Terms, watcher: Watcher, measured: Measured
) -> list[Case]:
    cases = [Case(item, (), sizes=measured.parameters) for item in items]
    for member, name in enumerate(measured.members):
        requests: list[Request] = [terms.draw(item.prompt, terms.samples, member) for item in items]
        requests += [terms.greedy(item.prompt) for item in items] if greedy else []
        tick = watcher.begins(f"{name} answers", len(requests))
        replies = await team.ask(member, requests, tick)
        _note_failures(measured, replies)
        for case, reply in zip(cases, replies, strict=False):
            case.drawn += (draw_of(case.item, reply),)
        for case, reply in zip(cases, replies[len(items) :], strict=False):
            case.greedy += (draw_of(case.item, reply),)
    return cases


async def _exchange(
    team: Team, name: str, cases: Sequence[Case], terms: Terms, watcher: Watcher, measured: Measured
) -> None:
    asks = WAYS[name].asks
    if asks is None:
        return
    for member, who in enumerate(measured.members):
        requests = [asks(case, member, terms) for case in cases]
        flat = [request for some in requests for request in some]
        replies = await team.ask(member, flat, watcher.begins(f"{who}: {name}", len(flat)))
        _note_failures(measured, replies)
        rest = iter(replies)
        for case, some in zip(cases, requests, strict=True):
            mine = tuple(next(rest) for _ in some)
            case.replies[name] = (*case.replies.get(name, ()), mine)


async def equalize(team: Team, terms: Terms, watcher: Watcher, measured: Measured) -> None:
    """Let the best member of each group, and of all, draw until its tokens reach those of the dearest way."""
    best = {group: measured.best_member(group) for group in [None, *measured.groups()]}
    for member in sorted(set(best.values())):
        groups = [group for group, one in best.items() if one == member]
        places = sorted({place for group in groups for place in measured.places(group)})
        await _fill(team, member, places, terms, watcher, measured)


async def _fill(
    team: Team, member: int, places: Sequence[int], terms: Terms, watcher: Watcher, measured: Measured
) -> None:
    if terms.temperature == 0:
        return  # Further samples would be the same.
    while True:
        wanted = [(place, _missing(measured, place, member)) for place in places]
        requests, owners = list[Request](), list[int]()
        for place, samples in wanted:
            case = measured.cases[place]
            for start in range(0, samples, REQUEST_SAMPLES_MAX):
                count = min(REQUEST_SAMPLES_MAX, samples - start)
                about = (len(case.pool(member).answers) + start, member)
                requests.append(terms.draw(case.item.prompt, count, "more", *about))
                owners.append(place)
        if not requests:
            return
        tick = watcher.begins(f"{measured.members[member]} alone at the team's cost", len(requests))
        replies = await team.ask(member, requests, tick)
        _note_failures(measured, replies)
        for place, reply in zip(owners, replies, strict=True):
            case = measured.cases[place]
            case.pools[member] = joined(case.pool(member), draw_of(case.item, reply))
        if all(reply.result is None for reply in replies):
            return


def _missing(measured: Measured, place: int, member: int) -> int:
    """How many more samples, by the mean length of those that are there, reach the dearest way's tokens."""
    dearest = max((verdicts[place].spent.tokens for verdicts in measured.verdicts.values()), default=0)
    pool = measured.cases[place].pool(member)
    first = measured.cases[place].drawn[member]
    if not pool.lengths or len(pool.answers) >= POOL_MAX:
        return 0
    short = dearest - first.spent.prompt_tokens - sum(pool.lengths)
    mean = max(1.0, sum(pool.lengths) / len(pool.lengths))
    return min(POOL_MAX - len(pool.answers), max(0, -int(-short // mean)))


def alone_at(case: Case, member: int, tokens: int, parameters: int) -> Draw:
    """What one member answers for at least so many tokens: its samples, as many as that takes, or all there are.

    Its prompt is counted once, as for any request of several samples.
    """
    pool = case.pool(member)
    prompt, spent, count = case.drawn[member].spent.prompt_tokens, 0, 0
    while count < len(pool.lengths) and (count == 0 or prompt + spent < tokens):
        spent += pool.lengths[count]
        count += 1
    if not count:
        return NOTHING
    share = count / len(pool.lengths)
    cost = Spent(
        round(pool.spent.forward_passes * share),
        prompt,
        case.drawn[member].spent.cached_tokens,
        spent,
        pool.spent.seconds * share,
        (prompt + spent) * parameters,
    )
    return Draw(pool.texts[:count], pool.answers[:count], pool.lengths[:count], cost)


def _note_failures(measured: Measured, replies: Sequence[Reply]) -> None:
    for reply in replies:
        if reply.result is None:
            measured.failed[reply.error] = measured.failed.get(reply.error, 0) + 1

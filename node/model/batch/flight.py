"""One forward pass: its plan, made from running samples and known tokens, and who gets what comes out of it."""

from dataclasses import dataclass

from node.model.batch.feeds import Feed
from node.model.batch.group import Group
from node.model.batch.jobs import Follow, Sample
from node.model.batch.plan import Operation, Plan, Purpose, Wanted
from node.model.batch.work import Runner, Work


@dataclass(slots=True, eq=False)
class Flight:
    """A plan that the driver has and has not yet answered."""

    plan: Plan
    group: Group
    samples: int
    """So many first parts of the pass are the group's running samples."""
    chunks: list[tuple[Feed, int, int]]
    """The other parts: feeds with the range of their tokens."""
    draws: int
    """How many tokens are to be drawn, for samples first."""


def take_off(group: Group, operations: list[Operation], tokens_max: int, outputs_max: int) -> Flight:
    """Args: tokens_max, outputs_max: for known tokens, besides the running samples."""
    samples = group.samples
    plan = Plan(
        operations=operations,
        adapters=group.adapters,
        tokens=[runner.token for runner in samples],
        positions=[runner.position for runner in samples],
        sequences=group.sequences.copy(),
        outputs=list(range(len(samples))),
        wanted=group.wanted.copy(),
        begun=[],
    )
    chunks = group.take(tokens_max, outputs_max) if group.feeds else []
    draws = len(samples)
    for feed, start, stop in chunks:
        index = len(plan.tokens)
        plan.tokens.extend(feed.tokens[start:stop])
        plan.positions.extend(range(feed.first + start, feed.first + stop))
        plan.sequences.extend([feed.sequence] * (stop - start))
        if feed.work.latest == 0:
            plan.begun.append(feed.work.job.id)
        if feed.runner is not None:
            plan.outputs.extend(range(index, index + stop - start))
            _want_next(plan.wanted, feed.runner, index, start, stop)
        elif stop == len(feed.tokens):
            plan.outputs.append(len(plan.tokens) - 1)
            draws += _want_first(plan.wanted, feed.work, len(plan.tokens) - 1)
    return Flight(plan, group, len(samples), chunks, draws)


def _want_first(wanted: list[Wanted], work: Work, index: int) -> int:
    """What is wanted after the last token of a prompt. Returns how many tokens are to be drawn there."""
    job = work.job
    draws = 0
    if job.look:
        wanted.append(Wanted(index, job.id, -1, Purpose.LOOK))
    for number, branch in enumerate(job.branches):
        match branch:
            case Sample():
                wanted.append(Wanted(index, job.id, number, Purpose.DRAW))
                draws += 1
            case Follow(tokens=tokens):
                wanted.append(Wanted(index, job.id, number, Purpose.READ, tokens[0]))
    return draws


def _want_next(wanted: list[Wanted], runner: Runner, index: int, start: int, stop: int) -> None:
    """What is wanted after a followed branch's tokens from `start` to `stop` - 1, the first of which is at `index`."""
    assert runner.follow is not None
    tokens, job_id = runner.follow.tokens, runner.work.job.id
    for number in range(start + 1, stop + 1):
        if number < len(tokens):
            wanted.append(Wanted(index, job_id, runner.index, Purpose.READ, tokens[number]))
        else:
            wanted.append(Wanted(index, job_id, runner.index, Purpose.END))
        index += 1

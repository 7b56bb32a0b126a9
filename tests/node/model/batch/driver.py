"""Drives a batcher over a pretended memory, and checks every promise of a plan against what the jobs asked for."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from node.model.batch.batcher import Batcher
from node.model.batch.jobs import Drawn, Finished, Follow, Job, Room, Sample
from node.model.batch.plan import Plan, Purpose, Wanted
from node.model.results import Account
from tests.node.model.batch.memory import Memory


@dataclass(slots=True)
class Told:
    """What one job was told so far."""

    job: Job
    drawn: dict[int, list[int]] = field(default_factory=dict)
    """By branch."""
    over: set[int] = field(default_factory=set)
    """Branches whose drawing has ended."""
    read: Counter[int] = field(default_factory=Counter)
    """By branch: how many of its known tokens."""
    closed: Counter[int] = field(default_factory=Counter)
    looks: int = 0
    passes: int = 0
    decoded: int = 0
    prompt_decoded: int = 0

    def complete(self) -> bool:
        for index, branch in enumerate(self.job.branches):
            match branch:
                case Sample():
                    if index not in self.over:
                        return False
                case Follow(tokens, closed):
                    if (self.read[index], self.closed[index]) != (len(tokens), int(closed)):
                        return False
        return self.looks == int(self.job.look)

    def account(self) -> Account:
        return Account(
            forward_passes=self.passes,
            prompt_tokens=self.prompt_decoded,
            cached_tokens=len(self.job.prompt) - self.prompt_decoded,
            generated_tokens=sum(map(len, self.drawn.values())) + sum(self.read.values()),
            decoded_tokens=self.decoded,
        )


def never(job: Job, branch: int, drawn: int) -> bool:
    """Of when a sample ends before it is as long as it may be."""
    return False


class Driver:
    """The loop around a batcher.

    Args:
        ends: whether a job's branch ends with its so many-th token.
    """

    def __init__(self, room: Room, ends: Callable[[Job, int, int], bool] = never) -> None:
        self.room = room
        self.batcher = Batcher(room)
        self.memory = Memory(room)
        self.told: dict[int, Told] = {}
        """Of jobs that are not over."""
        self.finished: dict[int, Account] = {}
        self.gone: dict[int, int] = {}
        """Tokens evaluated for jobs that did not finish."""
        self.passes: list[Plan] = []
        self._ends = ends
        self._number = 0
        self._running: dict[tuple[int, int], None] = {}
        """Samples that were once in a pass and are not over: they must be in every pass of theirs."""

    def submit(self, *jobs: Job) -> None:
        for job in jobs:
            self.told[job.id] = Told(job)
            self.batcher.submit(job)

    def cancel(self, job_id: int) -> None:
        self.batcher.cancel(job_id)
        self._lose([job_id])

    def expire(self, now_ms: int) -> list[int]:
        expired = self.batcher.expired(now_ms)
        self._lose(expired)
        return expired

    def _lose(self, job_ids: Iterable[int]) -> None:
        for job_id in job_ids:
            if job_id in self.told:
                self.gone[job_id] = self.told.pop(job_id).decoded
                self._running = {key: None for key in self._running if key[0] != job_id}

    def step(self, *, fail: bool = False) -> list[int] | None:
        """One pass. Returns the jobs that are over by it; None when there was nothing to do."""
        plan = self.batcher.plan()
        if plan is None:
            return None
        self.memory.operate(plan.operations)
        assert self.batcher.cells_cached <= self.room.cached_cells_max
        assert self.memory.cells <= self.batcher.cells_held <= self.room.cells, "more is held than is accounted for"
        if fail:
            lost = self.batcher.failed(plan)
            self._lose(lost)
            return lost
        self.memory.evaluate(plan)
        self.passes.append(plan)
        drawn = self._serve(plan)
        return self._settle(self.batcher.passed(plan, drawn))

    def run(self, passes_max: int = 10_000) -> None:
        """Until there is nothing to do."""
        for _ in range(passes_max):
            if self.step() is None:
                assert not self.told, f"left lying: {sorted(self.told)}"
                return
        raise AssertionError("it goes on and on")

    def _serve(self, plan: Plan) -> list[Drawn]:
        assert {one.index for one in plan.wanted} == set(plan.outputs)
        owners: dict[int, int] = {}
        for one in plan.wanted:
            job_id = owners.setdefault(plan.sequences[one.index], one.job_id)
            assert job_id == one.job_id, "two jobs in one sequence"
        self._count(plan)
        self._check_running(plan)
        return [drawn for one in plan.wanted if (drawn := self._answer(plan, one)) is not None]

    def _answer(self, plan: Plan, one: Wanted) -> Drawn | None:
        told = self.told[one.job_id]
        assert plan.adapters == told.job.adapters
        seen = self.memory.text(plan.sequences[one.index])[: plan.positions[one.index] + 1]
        match one.purpose:
            case Purpose.LOOK:
                assert seen == told.job.prompt
                told.looks += 1
                return None
            case Purpose.READ | Purpose.END:
                follow = told.job.branches[one.branch]
                assert isinstance(follow, Follow)
                assert seen == told.job.prompt + follow.tokens[: told.read[one.branch]]
                if one.purpose is Purpose.END:
                    told.closed[one.branch] += 1
                else:
                    assert one.token == follow.tokens[told.read[one.branch]]
                    told.read[one.branch] += 1
                return None
            case Purpose.DRAW:
                sample = told.job.branches[one.branch]
                drawn = told.drawn.setdefault(one.branch, [])
                assert isinstance(sample, Sample) and one.branch not in told.over
                assert seen == told.job.prompt + tuple(drawn)
                self._number += 1
                drawn.append(1_000 + self._number)
                ends = self._ends(told.job, one.branch, len(drawn))
                key = (one.job_id, one.branch)
                if len(drawn) > 1:
                    self._running[key] = None
                if ends or len(drawn) == sample.tokens_max:
                    told.over.add(one.branch)
                    self._running.pop(key, None)
                return Drawn(drawn[-1], ends)

    def _check_running(self, plan: Plan) -> None:
        """Running samples advance in every pass of their adapters, and are not delayed by more than a chunk."""
        samples = {
            (one.job_id, one.branch)
            for one in plan.wanted
            if one.purpose is Purpose.DRAW and self.told[one.job_id].drawn.get(one.branch)
        }
        assert len(samples) <= self.room.running_max
        for job_id, branch in self._running:
            if self.told[job_id].job.adapters == plan.adapters:
                assert (job_id, branch) in samples, "a running sample was left out"
        if self._running:
            assert len(plan.tokens) - len(samples) <= self.room.chunk_tokens

    def _count(self, plan: Plan) -> None:
        """Add up each job's tokens. Whose a part of a prompt is, nobody is told before its end: the batcher knows."""
        flight = self.batcher._flight
        assert flight is not None
        owners = [one.job_id for one in plan.wanted[: flight.samples]]
        for feed, start, stop in flight.chunks:
            owners += [feed.work.job.id] * (stop - start)
        for job_id, position in zip(owners, plan.positions, strict=True):
            told = self.told[job_id]
            told.decoded += 1
            told.prompt_decoded += position < len(told.job.prompt)
        for job_id in set(owners):
            self.told[job_id].passes += 1

    def _settle(self, finished: list[Finished]) -> list[int]:
        for one in finished:
            told = self.told.pop(one.job_id)
            assert told.complete()
            assert one.account == told.account()
            self.finished[one.job_id] = one.account
        assert not any(told.complete() for told in self.told.values()), "over and not reported"
        total = sum(account.decoded_tokens for account in self.finished.values())
        total += sum(told.decoded for told in self.told.values()) + sum(self.gone.values())
        assert total == self.memory.evaluated == self.batcher.total.decoded_tokens
        assert self.memory.passes == self.batcher.total.forward_passes
        return [one.job_id for one in finished]


def room(**changes: Any) -> Room:
    """A plain one, some of it changed."""
    plain = Room(
        sequences=16, cells=1_000, batch_tokens=64, running_max=8, cached_cells_max=500, chunk_tokens=32, can_cut=True
    )
    return replace(plain, **changes)


def numbers(size: int, first: int = 0) -> tuple[int, ...]:
    """A prompt. Two with unlike first tokens have nothing in common."""
    return tuple(range(first, first + size))

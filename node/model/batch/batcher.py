"""Continuous batching: at every forward pass, which tokens of which jobs go into it.

What always holds:

1. A sequence belongs to one prompt or to one branch, or, at a prompt's end, to the prompt and its last branch. What it
   holds are positions without a gap from 0, and exactly the tokens that its prompt or branch has seen.
2. A job begins only when the cells for all it may ever hold are free, and they stay promised to it until each branch is
   over. So no pass finds the cache full, and no job that has begun waits for another's cells.
3. Prompts in use never take all sequences, and none begins while a branch lacks one. So a branch always gets one.
4. Between jobs of one caller: first come first served. Between callers: turns by tokens, for beginning and again for
   prompts. A job whose turn it is but which needs more cells than are free is overtaken by others up to one whole
   cache; then nothing begins before it. So whatever fits runs.
5. Every running sample of a set of adapters is in every pass of that set, and sets with work take turns. Prompts wait
   for more of them only while samples run, and for half as many passes as those are at most.
6. Every token in a pass belongs to one job: the accounts add up to what the model evaluates.
"""

from collections import deque
from collections.abc import Hashable, Iterator, Sequence
from heapq import heappop, heappush

from node.model.batch.admission import Admission
from node.model.batch.feeds import Feed
from node.model.batch.flight import Flight, take_off
from node.model.batch.group import Group
from node.model.batch.jobs import Drawn, Finished, Follow, Job, Room, Sample
from node.model.batch.plan import Plan
from node.model.batch.prefixes import Prefixes
from node.model.batch.work import Runner, Spent, Work, work_of
from node.model.results import Account

FOLLOWS_AT_ONCE = 16
"""Of one job, so that a long list of continuations does not evict every prompt to get a sequence for each."""


class Batcher:
    """Turns jobs into plans. The driver's loop: `plan`, the pass, then `passed` or `failed`; nothing in between.

    Jobs are submitted, cancelled and found expired between passes. There is no clock here and nothing is drawn.
    """

    def __init__(self, room: Room) -> None:
        self._room = room
        self._outputs_max = room.outputs_max or room.batch_tokens
        self._prefixes = Prefixes(room)
        self._admission = Admission(room, self._prefixes)
        self._works: dict[int, Work] = {}
        self._groups: dict[Hashable, Group] = {}
        """By adapters; the one whose turn is next stands first."""
        self._deadlines: list[tuple[int, int, int]] = []
        """A heap of deadline, number and id of jobs, some of them over."""
        self._active = 0
        """Samples that advance."""
        self._samples: deque[Runner] = deque()
        """That have their first token and wait for a place."""
        self._follows: deque[Runner] = deque()
        """That wait for a sequence."""
        self._flight: Flight | None = None
        self._submitted = 0
        self._passes = 0
        self._ended = Spent()

    @property
    def waiting(self) -> int:
        """Jobs that have not begun."""
        return self._admission.waiting

    @property
    def running(self) -> int:
        """Jobs that have begun and are not over."""
        return len(self._works) - self._admission.waiting

    @property
    def next_deadline(self) -> int | None:
        """The earliest of all jobs."""
        while self._deadlines:
            deadline, number, job_id = self._deadlines[0]
            work = self._works.get(job_id)
            if work is not None and work.number == number:
                return deadline
            heappop(self._deadlines)
        return None

    @property
    def cells_held(self) -> int:
        """Cells of the cache that are held or promised."""
        return self._prefixes.held

    @property
    def cells_cached(self) -> int:
        """Cells held by prompts that no job uses."""
        return self._prefixes.cached

    @property
    def total(self) -> Account:
        """Of all jobs, also of those that were cancelled, expired or failed; forward passes are counted once each."""
        total = Spent()
        total.add(self._ended)
        for work in self._works.values():
            total.add(work.spent)
        total.forward_passes = self._passes
        return total.account()

    def fits(self, job: Job) -> bool:
        """Whether it can run at all, if only alone. Sequences never hinder: branches may run one after another."""
        return job.cells <= self._room.cells

    def submit(self, job: Job) -> None:
        assert self.fits(job) and job.id not in self._works
        self._submitted += 1
        work = self._works[job.id] = work_of(job, self._submitted)
        if job.deadline_ms is not None:
            heappush(self._deadlines, (job.deadline_ms, work.number, job.id))
        self._admission.submit(work)

    def cancel(self, job_id: int) -> None:
        """Whatever it holds is free before the next pass. A job that is over, or never was, is passed over."""
        assert self._flight is None, "a pass is on its way"
        work = self._works.get(job_id)
        if work is not None:
            self._abandon(work, keep=True)

    def expired(self, now_ms: int) -> list[int]:
        """Cancel the jobs whose deadline has come. Returns their ids."""
        expired = []
        while (deadline := self.next_deadline) is not None and deadline <= now_ms:
            job_id = heappop(self._deadlines)[2]
            self.cancel(job_id)
            expired.append(job_id)
        return expired

    def plan(self) -> Plan | None:
        """The next forward pass; None when there is nothing to do."""
        assert self._flight is None, "a pass is on its way"
        if self._start_branches():
            for work in self._admission.begin():
                self._job_begun(work)
        group = next((group for group in self._groups.values() if group.busy), None)
        if group is None:
            return None
        self._groups[group.adapters] = self._groups.pop(group.adapters)  # now it is last
        count = len(group.samples)
        tokens_max = self._room.batch_tokens - count
        if self._active:
            tokens_max = min(tokens_max, self._room.chunk_tokens)
        operations, self._prefixes.operations = self._prefixes.operations, []
        self._flight = take_off(group, operations, tokens_max, self._outputs_max - count)
        return self._flight.plan

    def passed(self, plan: Plan, drawn: Sequence[Drawn]) -> list[Finished]:
        """The pass is done, and something was drawn for each DRAW in plan.wanted, in that order.

        Returns the jobs that are over by it.
        """
        flight = self._land(plan)
        assert len(drawn) == flight.draws
        self._passes += 1
        finished: list[Finished] = []
        group, some_over = flight.group, False
        for work, count in group.shares.items():
            self._count(work, count, generated=count)
        for runner, (token, ends) in zip(group.samples, drawn, strict=False):  # the rest are first tokens
            runner.left -= 1
            if ends or runner.left == 0:
                self._end(runner, finished)
                some_over = True
            else:
                runner.token = token
                runner.position += 1
        if some_over:
            group.clear_over()
        first = iter(drawn[flight.samples :])
        for feed, start, stop in flight.chunks:
            if feed.runner is None:
                self._prompt_fed(feed.work, stop - start, stop, first, finished)
            else:
                self._branch_fed(feed.runner, feed, start, stop, finished)
        return finished

    def failed(self, plan: Plan) -> list[int]:
        """The pass failed, after its operations. Returns the jobs in it: they are gone, with all that they held."""
        flight = self._land(plan)
        works = list(flight.group.shares) + [feed.work for feed, _, _ in flight.chunks]
        lost = {work.job.id: work for work in works}
        for work in lost.values():
            self._abandon(work, keep=False)
        return list(lost)

    def _land(self, plan: Plan) -> Flight:
        flight, self._flight = self._flight, None
        assert flight is not None and flight.plan is plan, "no such pass is on its way"
        return flight

    def _count(self, work: Work, decoded: int, *, generated: int) -> None:
        spent = work.spent
        spent.decoded_tokens += decoded
        spent.generated_tokens += generated
        if work.latest != self._passes:
            work.latest = self._passes
            spent.forward_passes += 1

    def _job_begun(self, work: Work) -> None:
        adapters = work.job.adapters
        if adapters not in self._groups:
            self._groups[adapters] = Group(adapters, self._room)
        self._groups[adapters].works += 1
        assert work.trunk is not None
        if work.trunk.waits_for is None:
            self._feed_prompt(work)

    def _feed_prompt(self, work: Work) -> None:
        trunk = work.trunk
        assert trunk is not None
        work.spent.cached_tokens = trunk.done
        feed = Feed(work, work.job.prompt, trunk.sequence, first=0, runner=None, given=trunk.done)
        self._groups[work.job.adapters].feeds.add(feed)

    def _prompt_fed(self, work: Work, size: int, done: int, drawn: Iterator[Drawn], finished: list[Finished]) -> None:
        """More of a prompt is evaluated, perhaps all of it: then its branches begin, with a token each."""
        trunk = work.trunk
        assert trunk is not None
        self._count(work, size, generated=0)
        work.spent.prompt_tokens += size
        for woken in self._admission.advance(trunk, done):
            self._feed_prompt(woken)
        if done < trunk.length:
            return
        for index, branch in enumerate(work.job.branches):
            runner = Runner(work, index, branch.cells, position=done)
            match branch:
                case Sample(tokens_max=most):
                    runner.token, ends = next(drawn)
                    runner.left = most - 1
                    ends = ends or runner.left == 0
                case Follow():
                    runner.follow = branch
                    ends = branch.cells == 0
            work.spent.generated_tokens += 1
            if ends:
                self._admission.branch_over(work, branch.cells, sample=runner.follow is None)
            else:
                work.unstarted += 1
                (self._samples if runner.follow is None else work.follows).append(runner)
        for _ in range(min(FOLLOWS_AT_ONCE, len(work.follows))):
            self._follows.append(work.follows.popleft())
        if work.unfinished == 0:
            finished.append(self._conclude(work))

    def _branch_fed(self, runner: Runner, feed: Feed, start: int, stop: int, finished: list[Finished]) -> None:
        """More of a branch that is followed is evaluated."""
        assert runner.follow is not None
        read = min(stop, len(runner.follow.tokens) - 1) - start
        self._count(runner.work, stop - start, generated=read)
        if stop == len(feed.tokens):
            if runner.work.follows:
                self._follows.append(runner.work.follows.popleft())
            self._end(runner, finished)

    def _start_branches(self) -> bool:
        """Give sequences to branches that wait for one, as far as there are places. False: some lack a sequence."""
        while self._samples and self._active < self._room.running_max:
            if not self._seat(self._samples[0]):
                return False
            runner = self._samples.popleft()
            self._groups[runner.work.job.adapters].start(runner)
            self._active += 1
        while self._follows:
            if not self._seat(self._follows[0]):
                return False
            runner = self._follows.popleft()
            assert runner.follow is not None
            tokens = runner.follow.tokens[: runner.cells]
            feed = Feed(runner.work, tokens, runner.sequence, runner.position, runner)
            self._groups[runner.work.job.adapters].feeds.add(feed)
        return True

    def _seat(self, runner: Runner) -> bool:
        work = runner.work
        assert work.trunk is not None
        sequence = self._prefixes.branch(work.trunk, last=work.unstarted == 1)
        if sequence is None:
            return False
        runner.sequence = sequence
        work.unstarted -= 1
        work.runners.append(runner)
        return True

    def _end(self, runner: Runner, finished: list[Finished]) -> None:
        """A branch in a sequence is over."""
        work = runner.work
        assert work.trunk is not None
        runner.over = True
        self._prefixes.leave(work.trunk, runner.sequence)
        self._active -= runner.follow is None
        self._admission.branch_over(work, runner.cells, sample=runner.follow is None)
        if work.unfinished == 0:
            finished.append(self._conclude(work))

    def _conclude(self, work: Work) -> Finished:
        """All branches of a job are over."""
        self._forget(work, keep=True)
        return Finished(work.job.id, work.spent.account())

    def _abandon(self, work: Work, *, keep: bool) -> None:
        """A job is over before its branches are."""
        if work.trunk is None:
            del self._works[work.job.id]
            self._admission.withdraw(work)
            return
        for runner in work.runners:
            if not runner.over:
                runner.over = True
                self._prefixes.leave(work.trunk, runner.sequence)
                self._active -= runner.follow is None
        self._samples = deque(runner for runner in self._samples if runner.work is not work)
        self._follows = deque(runner for runner in self._follows if runner.work is not work)
        group = self._groups[work.job.adapters]
        group.feeds.remove(work)
        group.clear_over()
        self._forget(work, keep=keep)

    def _forget(self, work: Work, *, keep: bool) -> None:
        del self._works[work.job.id]
        self._ended.add(work.spent)
        for gone in [work, *self._admission.job_over(work, keep=keep)]:
            group = self._groups[gone.job.adapters]
            group.works -= 1
            if group.works == 0:
                del self._groups[gone.job.adapters]

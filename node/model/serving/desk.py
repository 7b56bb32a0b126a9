"""The requests that forward passes are made for: taken in, given up, timed out, answered."""

import time
from collections.abc import Callable

from node.model.batch.batcher import Batcher
from node.model.batch.jobs import Finished, Job, Room
from node.model.batch.plan import Plan
from node.model.errors import ModelError, ModelFailed, ModelTimeout
from node.model.llamacpp.context import Context
from node.model.pipe import answered
from node.model.pipe.frames import FrameTooLong, Message
from node.model.requests import GenerateRequest, NextRequest, ScoreRequest
from node.model.serving.adapters import Adapters
from node.model.serving.generating import Generating
from node.model.serving.passes import evaluate, look_at
from node.model.serving.scoring import Scoring
from node.model.serving.task import Part, Task


def _now_ms() -> int:
    return time.monotonic_ns() // 1_000_000


class Desk:
    """Joins what was asked to the batcher's jobs, and the passes to the answers.

    Args:
        send: takes messages for the node.
    """

    def __init__(self, context: Context, room: Room, adapters: Adapters, send: Callable[[Message], None]) -> None:
        self._context = context
        self._adapters = adapters
        self._send = send
        self._generating = Generating(context, room.cells)
        self._scoring = Scoring(context, room.cells)
        self._tasks: dict[int, Task] = {}
        """By the node's number."""
        self._streaming: dict[int, Task] = {}
        self._jobs: dict[int, tuple[Task, Part]] = {}
        """By the batcher's number."""
        self._job_ids = 0
        self.batcher = Batcher(room)
        self.answered = self.failed = 0

    def __len__(self) -> int:
        return len(self._tasks)

    def submit(
        self, number: int, request: GenerateRequest | ScoreRequest | NextRequest, *, streams: bool = False
    ) -> None:
        """Raises ModelError: it cannot be done."""
        match request:
            case GenerateRequest():
                task = self._generating.task(number, request, streams=streams)
            case ScoreRequest():
                task = self._scoring.score(number, request)
            case NextRequest():
                task = self._scoring.next_tokens(number, request)
        task.uses = self._adapters.take(request.adapters)
        self._tasks[number] = task
        if task.news is not None:
            self._streaming[number] = task
        deadline_ms = None if request.deadline_ms is None else _now_ms() + request.deadline_ms
        for part in task.parts:
            self._job_ids += 1
            task.job_ids.append(self._job_ids)
            self._jobs[self._job_ids] = (task, part)
            self.batcher.submit(
                Job(self._job_ids, request.caller, part.prompt, part.branches, part.looks, task.uses, deadline_ms)
            )

    def cancel(self, number: int) -> None:
        """The node has given it up. One that is over is passed over."""
        task = self._tasks.get(number)
        if task is not None:
            self._drop(task)

    def expire(self) -> None:
        due = self.batcher.next_deadline
        if due is None or due > _now_ms():
            return
        for job_id in self.batcher.expired(_now_ms()):
            if job_id in self._jobs:  # else another part of its task expired just now
                task, _ = self._jobs[job_id]
                assert task.request.deadline_ms is not None, "it had one"
                self._drop(task, ModelTimeout("a request", task.request.deadline_ms))

    def step(self) -> bool:
        """Make one forward pass. False: there is nothing to do."""
        plan = self.batcher.plan()
        if plan is None:
            return False
        now_ns = time.perf_counter_ns()
        try:
            evaluate(plan, self._context)
        except ModelFailed as error:
            self._lose(plan, error)
            return True
        for job_id in plan.begun:
            self._jobs[job_id][0].begins(now_ns)
        drawn, broken = look_at(plan, self._jobs)
        finished = self.batcher.passed(plan, drawn)
        for task in broken:
            self._drop(task, task.error)
        for one in finished:
            self._finish(one)
        for task in self._streaming.values():
            self._tell_news(task)
        return True

    def _lose(self, plan: Plan, error: ModelFailed) -> None:
        lost = {self._jobs[job_id][0].number: self._jobs[job_id][0] for job_id in self.batcher.failed(plan)}
        for task in lost.values():
            self._drop(task, error)

    def _finish(self, finished: Finished) -> None:
        found = self._jobs.pop(finished.job_id, None)
        if found is None:
            return  # of a task that was dropped just now
        task, _ = found
        if not task.add(finished.account):
            return
        if task.news is not None:
            self._tell_news(task)
        try:
            self._send(answered.result_message(task.number, task.result(task.account())))
            self.answered += 1
        except FrameTooLong as error:
            self._send(answered.error_message(ModelFailed(f"the answer is too long: {error}"), task.number))
            self.failed += 1
        self._forget(task)

    def _tell_news(self, task: Task) -> None:
        assert task.news is not None, "it streams"
        if pieces := task.news():
            self._send(answered.pieces_message(task.number, pieces))

    def _drop(self, task: Task, error: ModelError | None = None) -> None:
        """Forget a task with all its jobs."""
        for job_id in task.job_ids:
            self.batcher.cancel(job_id)
            self._jobs.pop(job_id, None)
        self.failed += 1
        if error is not None:
            self._send(answered.error_message(error, task.number))
        self._forget(task)

    def _forget(self, task: Task) -> None:
        task.close()
        del self._tasks[task.number]
        self._streaming.pop(task.number, None)
        self._adapters.give_back(task.uses)

    def close(self) -> None:
        """Free what the tasks hold."""
        for task in self._tasks.values():
            task.close()

"""Workers in processes of their own that play seeds; one that dies or hangs is replaced, and its seed noted."""

import signal
import time
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing import get_context, resource_tracker
from multiprocessing.connection import Connection, wait
from typing import Protocol

from node.lab.simulation.report import Played

CHUNK_S = 0.5
"""How long a worker may play before it is given more: long against the giving, short against the whole."""
CHUNK_MAX = 200
HANGS_S = 900.0
"""No seed takes as long. A worker that says nothing for this time is killed, and its seed is a failure."""
LOOK_S = 0.2
"""How often whoever waits gets control when nothing happens."""
TRIES = 2
"""A worker may die of something else, such as a machine without memory; not twice at the same seed."""


class Job(Protocol):
    """Plays a seed. It travels to the workers, so it can be pickled."""

    def __call__(self, seed: int) -> Played: ...

    def lost(self, seed: int, invariant: str, detail: str) -> Played:
        """What to count where no worker came back from the seed."""
        ...


class Crew:
    """Seeds are handed out a few at a time; what comes back comes seed by seed."""

    def __init__(self, job: Job, seeds: Iterator[int], workers: int, hangs_s: float = HANGS_S) -> None:
        self.lost = 0
        """Workers that had to be replaced."""
        self._job = job
        self._seeds = seeds
        self._hangs_s = hangs_s
        self._again: deque[int] = deque()
        self._deaths: Counter[int] = Counter()
        self._played, self._busy_s = 0, 0.0
        self._size = workers
        self._workers: list[_Worker] = []

    def played(self) -> Iterator[Played | None]:
        """Each seed once, in the order in which they end. None from time to time."""
        while len(self._workers) < self._size:
            self._workers.append(_Worker(self._job))
        while True:
            for worker in self._workers:
                if not worker.seeds:
                    worker.give(self._chunk())
            busy = {worker.connection: worker for worker in self._workers if worker.seeds}
            if not busy:
                return
            came = wait(list(busy), LOOK_S)
            for connection, worker in busy.items():
                if connection in came:
                    yield self._hear(worker)
                elif time.monotonic() - worker.heard_s > self._hangs_s:
                    yield self._replace(worker, "hang", f"no end within {self._hangs_s:.0f} s of real time")
            if not came:
                yield None

    def stop(self) -> None:
        for worker in self._workers:
            worker.stop()

    def _chunk(self) -> list[int]:
        length = 1
        if self._busy_s:
            length = max(1, min(CHUNK_MAX, int(CHUNK_S * self._played / self._busy_s)))
        chunk: list[int] = []
        while len(chunk) < length and self._again:
            chunk.append(self._again.popleft())
        for seed in self._seeds if len(chunk) < length else ():
            chunk.append(seed)
            if len(chunk) >= length:
                break
        return chunk

    def _hear(self, worker: "_Worker") -> Played | None:
        try:
            played: Played = worker.connection.recv()
        except (EOFError, OSError):
            worker.process.join(1)
            return self._replace(worker, "died", f"the process that played it ended with {worker.process.exitcode}")
        worker.seeds.popleft()
        worker.heard_s = time.monotonic()
        self._played += 1
        self._busy_s += played.seconds
        return played

    def _replace(self, worker: "_Worker", invariant: str, detail: str) -> Played | None:
        self.lost += 1
        worker.stop()
        seed, *rest = worker.seeds
        self._workers[self._workers.index(worker)] = _Worker(self._job)
        self._deaths[seed] += 1
        self._again.extend(rest)
        if self._deaths[seed] < TRIES and invariant == "died":
            self._again.append(seed)
            return None
        return self._job.lost(seed, invariant, detail)


class _Worker:
    """Started as a new interpreter: what plays a seed has nothing of this process but the job."""

    def __init__(self, job: Job) -> None:
        context = get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, job), daemon=True)
        # Ctrl-C reaches all processes of a terminal. Only this one answers it: workers inherit that it is blocked. Nor
        # may a signal come while a worker is told what to do. Starting the tracker would end the blocking.
        resource_tracker.ensure_running()
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
        try:
            self.process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        theirs.close()
        self.seeds: deque[int] = deque()
        """Handed out and not played yet, the one being played first."""
        self.heard_s = time.monotonic()

    def give(self, seeds: list[int]) -> None:
        if not seeds:
            return
        self.seeds.extend(seeds)
        self.heard_s = time.monotonic()
        with suppress(OSError):  # It has died: whoever listens to it sees that.
            self.connection.send(seeds)

    def stop(self) -> None:
        self.process.kill()
        self.process.join()
        self.process.close()
        self.connection.close()


def _serve(connection: Connection, job: Job) -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    with suppress(EOFError, ConnectionError):  # Nobody is left who wants to know.
        while True:
            for seed in connection.recv():
                connection.send(job(seed))

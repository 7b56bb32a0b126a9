"""A simulated member's model: answers sums, late, wrongly or not at all, and counts what every answer costs."""

import re
from collections import deque
from collections.abc import Callable

from coordinator.effects import Generate
from coordinator.events import Generated, ModelFailed
from coordinator.records import Cost
from coordinator.signed import Digest
from node.lab.simulation.plan import Models
from node.lab.simulation.streams import stream
from node.lab.simulation.timeline import Timeline
from node.shell import GENERATING_MAX

SLOWNESS = 20
"""How much longer a slow model takes."""
MODEL = b"m" * 32
TEMPERATURE_MILLI = 700


class HostModel:
    """It runs in a process of its own, but what it was asked dies with the node that asked."""

    def __init__(self, number: int, models: Models, seed: int, timeline: Timeline) -> None:
        self._models = models
        self._rng = stream(seed, f"model/{number}")
        self._slowness = SLOWNESS if number in models.slow else 1
        self._timeline = timeline
        self._waiting: deque[Generate] = deque()
        self._running = 0
        self._life = 0
        self.is_wanted: Callable[[Digest], bool] = lambda question: True
        self.answer: Callable[[Generated | ModelFailed], None] = lambda event: None
        self.counted: dict[Digest, list[Cost]] = {}
        """What this model's runtime counted for each question, answer by answer."""

    def ask(self, request: Generate) -> None:
        if self._running < GENERATING_MAX:
            self._run(request)
        else:
            self._waiting.append(request)

    def forget(self) -> None:
        """The node's process ended."""
        self._life += 1
        self._running = 0
        self._waiting.clear()

    def _run(self, request: Generate) -> None:
        if not self.is_wanted(request.question):
            return
        models, rng, life = self._models, self._rng, self._life
        self._running += 1
        took_ms = min(1 + int(rng.expovariate(1 / max(1, models.latency_ms_mean))), models.latency_ms_max)
        event: Generated | ModelFailed
        if models.failing and rng.random() < models.failing:
            event = ModelFailed(request.question, "the model failed")
        else:
            event = self._answer(request)

        def finish() -> None:
            if life == self._life:
                self._running -= 1
                self.answer(event)
                while self._waiting and self._running < GENERATING_MAX:
                    self._run(self._waiting.popleft())

        self._timeline.after(took_ms * self._slowness, finish)

    def _answer(self, request: Generate) -> Generated:
        rng = self._rng
        right = sum(map(int, re.findall(r"\d{1,9}", request.prompt)))
        texts = tuple(
            str(right + (1 + rng.randrange(3) if rng.random() < self._models.wrong else 0))
            for _ in range(request.samples)
        )
        cost = Cost(request.samples + 1, len(request.prompt), sum(map(len, texts)), 1 + rng.randrange(1_000_000))
        self.counted.setdefault(request.question, []).append(cost)
        return Generated(request.question, texts, MODEL, request.seed, TEMPERATURE_MILLI, cost)

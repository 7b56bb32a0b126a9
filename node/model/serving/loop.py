"""The process's only thread of work: read what was asked, make one forward pass for all, write what came of it."""

import time
from dataclasses import replace
from pathlib import Path

from node.model.engine import Ability, LoadSettings
from node.model.errors import ModelError, ModelFailed
from node.model.llamacpp import memory
from node.model.llamacpp.model import Model
from node.model.pipe import answered, asked
from node.model.pipe.counts import Counts
from node.model.pipe.frames import FrameError, FrameTooLong, Message
from node.model.requests import EmbedRequest
from node.model.serving.adapters import Adapters
from node.model.serving.desk import Desk
from node.model.serving.embedding import Embedding, Embeddings
from node.model.serving.limit import limit_growth
from node.model.serving.pipes import Pipes
from node.model.serving.room import open_context

TICK_NS = 500_000_000
"""The node wants a sign of life every second."""
WAIT_MS = 1_000
"""For a message, while nothing can be done although something waits."""


class Loop:
    """Everything in this process.

    Raises:
        ModelError: the model cannot be loaded.
    """

    def __init__(self, path: Path, load: LoadSettings, pipes: Pipes) -> None:
        self._pipes = pipes
        self._model = Model(path, load)
        self._context, room = open_context(self._model, load)
        self._adapters = Adapters(self._model, self._let_adapters_go)
        self._embeddings = Embeddings(self._model, load.threads)
        self._desk = Desk(self._context, room, self._adapters, pipes.send)
        self._answered = self._failed = 0  # beside the desk's
        if not load.gpu_layers:  # a graphics processor's driver sets aside much more than it ever uses
            limit_growth(memory.needed(path, self._model.header, load))
        self._ticked_ns = 0
        pipes.send(answered.ready_message(replace(self._model.info, abilities=frozenset(Ability))))
        pipes.flush()

    def run(self) -> None:
        """Until the node closes our stdin. Raises BrokenPipeError when it has ended."""
        wait_ms: int | None = None
        while (messages := self._pipes.receive(wait_ms)) is not None:
            for message in messages:
                self._take(message)
            self._desk.expire()
            moved = self._desk.step()
            if self._embeddings:
                self._embed()
                moved = True
            wait_ms = 0 if moved else WAIT_MS if len(self._desk) else None
            self._tick()
            self._pipes.flush()

    def _take(self, message: Message) -> None:
        if "cancel" in message:
            self._cancel(message["cancel"])
            return
        number = answered.ticket(message)
        try:
            self._do(number, message)
        except FrameError as error:
            self._refuse(number, ModelFailed(str(error)))
        except ModelError as error:
            self._refuse(number, error)

    def _do(self, number: int, message: Message) -> None:
        match message.get("ask"):
            case "counts":
                self._pipes.send(answered.counts_message(self._counts(), number))
            case "add":
                adapter = self._adapters.add(Path(message["path"]))
                self._pipes.send(answered.adapter_message(number, adapter))
            case "drop":
                self._adapters.drop(bytes.fromhex(message["digest"]))
                self._pipes.send(answered.done_message(number))
            case _:
                request, streams = asked.read_request(message)
                if isinstance(request, EmbedRequest):
                    self._embeddings.submit(Embedding(number, request, self._adapters.take(request.adapters)))
                else:
                    self._desk.submit(number, request, streams=streams)

    def _cancel(self, number: int) -> None:
        embedding = self._embeddings.cancel(number)
        if embedding is None:
            self._desk.cancel(number)
        else:
            self._failed += 1
            self._adapters.give_back(embedding.uses)

    def _refuse(self, number: int, error: ModelError) -> None:
        self._failed += 1
        self._pipes.send(answered.error_message(error, number))

    def _embed(self) -> None:
        embedding, result = self._embeddings.turn()
        if result is None:
            return
        self._adapters.give_back(embedding.uses)
        if isinstance(result, ModelError):
            self._refuse(embedding.number, result)
            return
        try:
            self._pipes.send(answered.result_message(embedding.number, result))
            self._answered += 1
        except FrameTooLong as error:
            self._refuse(embedding.number, ModelFailed(f"the answer is too long: {error}"))

    def _let_adapters_go(self) -> None:
        self._context.apply(())
        self._embeddings.close()

    def _tick(self) -> None:
        now_ns = time.monotonic_ns()
        if now_ns - self._ticked_ns >= TICK_NS:
            self._ticked_ns = now_ns
            self._pipes.send(answered.counts_message(self._counts()))

    def _counts(self) -> Counts:
        total, embedded, begun = self._desk.batcher.total, self._embeddings.done, self._embeddings.begun
        return Counts(
            requests=self._desk.answered + self._answered,
            failed=self._desk.failed + self._failed,
            forward_passes=total.forward_passes + embedded.passes,
            decoded_tokens=total.decoded_tokens + embedded.tokens,
            generated_tokens=total.generated_tokens,
            cached_tokens=total.cached_tokens,
            native_tokens=self._context.counted()[0] + embedded.native_tokens,
            waiting=self._desk.batcher.waiting + len(self._embeddings) - begun,
            running=self._desk.batcher.running + begun,
        )

    def close(self) -> None:
        self._desk.close()
        self._adapters.close()
        self._embeddings.close()
        self._context.close()
        self._model.close()

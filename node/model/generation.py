"""Drawing k samples of one prompt: the prompt is evaluated once, and each further forward pass advances all samples."""

import hashlib
import time
from dataclasses import dataclass, field

from coordinator.records import Cost
from node.model.engine import Generated, GenerateRequest
from node.model.errors import PromptTooLong
from node.model.llama import Llama, Sampler


@dataclass(slots=True)
class _Sample:
    """One sequence on its way."""

    sequence: int
    sampler: Sampler
    position: int
    """Where its next token goes."""
    text: bytearray = field(default_factory=bytearray)
    generated: int = 0
    last: int = -1
    done: bool = False

    def take(self, model: Llama, output: int, stop: bytes, tokens_max: int) -> None:
        """Draw the next token from an output of the latest pass, and see whether it ends the sample."""
        self.last = self.sampler.sample(output)
        self.generated += 1
        if model.is_end(self.last):
            self.done = True
            return
        piece = model.piece(self.last)
        searched = max(0, len(self.text) - len(stop) + 1)  # the stop may have begun in an earlier token
        self.text += piece
        found = self.text.find(stop, searched) if stop else -1
        if found >= 0:
            del self.text[found:]
        self.done = found >= 0 or self.generated == tokens_max


def sample_seed(seed: int, index: int) -> int:
    """A seed of 32 bits for sample `index`; unrelated for neighbouring seeds and indices."""
    digest = hashlib.sha256(b"moot sample seed" + seed.to_bytes(8, "big") + index.to_bytes(4, "big")).digest()
    return int.from_bytes(digest[:4], "big")


def generate(model: Llama, request: GenerateRequest) -> Generated:
    """Draw the request's samples.

    Every token sampled is evaluated but the last of each sample: tokens evaluated = prompt + generated - samples.
    Raises:
        PromptTooLong: the prompt leaves no room for an answer.
        ModelFailed: llama.cpp reported an error.
    """
    started_ns = time.perf_counter_ns()
    prompt = model.tokens(request.prompt)
    room = min(model.context_length - len(prompt), (model.cells - len(prompt)) // request.samples)
    tokens_max = min(request.tokens_max, room)
    if tokens_max < 1:
        raise PromptTooLong(len(prompt), model.cells - request.samples)
    stop = request.stop.encode("utf-8", "replace")
    samples: list[_Sample] = []
    try:
        for index in range(request.samples):
            sampler = model.sampler(request.temperature_milli / 1000, sample_seed(request.seed, index))
            samples.append(_Sample(index, sampler, len(prompt)))
        passes = _prefill(model, prompt)
        model.share(len(samples))
        for sample in samples:
            sample.take(model, -1, stop, tokens_max)
        while live := [sample for sample in samples if not sample.done]:
            model.decode([(sample.last, sample.position, sample.sequence) for sample in live], outputs_from=0)
            passes += 1
            for output, sample in enumerate(live):
                sample.position += 1
                sample.take(model, output, stop, tokens_max)
    finally:
        for sample in samples:
            sample.sampler.close()
        model.clear()
    texts = tuple(sample.text.decode("utf-8", "replace") for sample in samples)
    generated = sum(sample.generated for sample in samples)
    return Generated(texts, Cost(passes, len(prompt), generated, (time.perf_counter_ns() - started_ns) // 1000))


def _prefill(model: Llama, prompt: list[int]) -> int:
    """Evaluate the prompt into sequence 0, with logits for its last token alone. Returns the number of passes."""
    starts = range(0, len(prompt), model.batch_tokens_max)
    for start in starts:
        parts = [
            (token, start + index, 0) for index, token in enumerate(prompt[start : start + model.batch_tokens_max])
        ]
        model.decode(parts, outputs_from=len(parts) - (start == starts[-1]))
    return len(starts)

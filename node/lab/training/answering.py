"""A GGUF model answering questions through llama.cpp: greedy answers and samples, for measurement."""

from collections.abc import Sequence
from pathlib import Path

import llama_cpp

from node.lab.skills import Task
from node.lab.training.tokens import answer_of, prompt

REPLY_TOKENS_MAX = 48


class Answerer:
    """One loaded model on one thread."""

    def __init__(self, path: Path, seed: int = 0) -> None:
        self._llama = llama_cpp.Llama(
            str(path), n_ctx=256, n_batch=256, n_threads=1, n_threads_batch=1, seed=seed, verbose=False
        )

    def tokens(self, text: str) -> list[int]:
        """What llama.cpp makes of a prompt, start token included."""
        return list(self._llama.tokenize(text.encode(), add_bos=True, special=False))

    def reply(self, text: str, temperature: float = 0.0) -> str:
        """The text after a prompt, up to its line end."""
        out = self._llama.create_completion(
            self.tokens(text),
            max_tokens=REPLY_TOKENS_MAX,
            temperature=temperature,
            top_k=0,  # 0, 1.0, 0.0, 1.0: nothing but temperature shapes the samples
            top_p=1.0,
            min_p=0.0,
            repeat_penalty=1.0,
            stop=["\n"],
        )
        return str(out["choices"][0]["text"])

    def answer(self, task: Task, temperature: float = 0.0) -> str:
        """The answer to one question."""
        return answer_of(self.reply(prompt(task), temperature))


def correct(answer: str, task: Task) -> bool:
    """Whether an answer is the task's, letter case and spacing aside."""
    return " ".join(answer.lower().split()) == " ".join(task.answer.lower().split())


def count_correct(model: Answerer, tasks: Sequence[Task]) -> int:
    """How many of `tasks` a model answers correctly when it does not sample."""
    return sum(correct(model.answer(task), task) for task in tasks)

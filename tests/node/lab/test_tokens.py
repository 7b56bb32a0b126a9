"""Training and llama.cpp must see the same tokens and text, or a model would be asked what it never learned."""

import random

import llama_cpp
import pytest

from coordinator import prompts
from node.lab.skills import SKILLS, Task, sample
from node.lab.skills.ways import worked_out
from node.lab.training.tokens import PIECES, START, decode, encode, prompt
from node.model import reference


@pytest.fixture(scope="module")
def model() -> llama_cpp.Llama:
    """Any reference model: they share one vocabulary."""
    return llama_cpp.Llama(str(reference.path("abacus")), vocab_only=True, verbose=False)


@pytest.mark.parametrize("skill", SKILLS)
def test_llama_cpp_reads_a_prompt_as_training_did(skill: str, model: llama_cpp.Llama) -> None:
    """A space in front or a newline split in two would make every question look new to the model."""
    rng = random.Random(f"tokens:{skill}")
    for _ in range(50):
        text = prompt(sample(skill, rng, held_out=True))
        assert model.tokenize(text.encode(), add_bos=True, special=False) == [START, *encode(text)]


def test_text_beyond_ascii_has_the_same_tokens_too(model: llama_cpp.Llama) -> None:
    """People ask in any script; its bytes have tokens, and none of them is the unknown one."""
    text = "Łódź 東京 🙂\t?\n"
    assert model.tokenize(text.encode(), add_bos=False, special=False) == encode(text)
    assert model.n_vocab() == len(PIECES) == len(set(PIECES))


def test_the_file_says_how_a_chat_becomes_a_prompt(model: llama_cpp.Llama) -> None:
    """Engines that render messages by the file's template must arrive at the text of training: one line per message."""
    assert model.metadata["tokenizer.chat_template"] == "{% for m in messages %}{{ m['content'] }}\n{% endfor %}"
    assert model.metadata["general.name"] == "moot abacus"


@pytest.mark.parametrize(
    ("task", "asked", "told"),
    [
        pytest.param(Task("s", "What is 2 + 3?", "number", (), "5"), "What is 2 + 3?\n", "5", id="plain"),
        pytest.param(
            Task("s", "Is 5 more than 3?", "choice", ("no", "yes"), "yes"),
            "Is 5 more than 3? (no / yes)\n",
            "yes",
            id="choice",
        ),
        pytest.param(
            Task("s", "4 * 12 = ?", "number", (), "48", "2*4=8 1*4=4"),
            "4 * 12 = ?\n",
            "2*4=8 1*4=4 => 48",
            id="worked",
        ),
    ],
)
def test_a_task_as_text(task: Task, asked: str, told: str) -> None:
    """What stands in training is what nodes send and what they read the answer from."""
    assert prompt(task) == asked
    assert worked_out(task) == told
    assert decode(encode(told)) == told
    assert prompts.answer_of(told) == task.answer

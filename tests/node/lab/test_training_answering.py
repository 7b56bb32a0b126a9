"""Many prompts at once are answered as each would be alone, and samples fall as the model's probabilities say."""

import random
from collections import Counter
from pathlib import Path

import llama_cpp
import numpy as np
import pytest

from node.lab.skills import SKILLS, sample
from node.lab.training.answering import LANES, Model, answers
from node.lab.training.tokens import START, decode, encode, prompt
from node.model import reference

PATH = reference.path("abacus")


def test_together_as_alone() -> None:
    """More prompts than fit at a time, of all lengths: none may read another's text or lose its place."""
    rng = random.Random(5)
    asked = [prompt(sample(rng.choice(list(SKILLS)), rng, held_out=True)) for _ in range(LANES + 20)]
    together = answers(PATH, asked)
    model = llama_cpp.Llama(str(PATH), n_ctx=384, n_threads=1, n_threads_batch=1, verbose=False)
    alone = []
    for text in asked:
        tokens = model.tokenize(text.encode(), add_bos=True, special=False)
        out = model.create_completion(tokens, max_tokens=112, temperature=0.0, stop=["\n"])
        alone.append(out["choices"][0]["text"])
    model.close()
    same = sum(texts == [text] for texts, text in zip(together, alone, strict=True))
    assert same >= len(asked) - 2  # two tokens may be as likely as each other but for rounding


def test_samples_fall_as_the_model_says() -> None:
    """An off-by-one in drawing would make every calibration nonsense."""
    text, temperature, draws = "Which is larger, 5 or 7?\n", 1.5, 400
    with Model(PATH) as model:
        scores = model.scores_after([START, *encode(text)]) / temperature
    chances = np.exp(scores - scores.max())
    chances /= chances.sum()
    (texts,) = answers(PATH, [text], draws, temperature)
    first = Counter(reply[:1] for reply in texts)
    for token in np.argsort(chances)[-4:]:
        expected = float(chances[token])
        said = first[decode([int(token)])]
        assert said / draws == pytest.approx(expected, abs=4 * (expected * (1 - expected) / draws) ** 0.5 + 0.01)


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    """A null pointer would end the process."""
    with pytest.raises(RuntimeError, match="could not load"):
        answers(tmp_path / "none.gguf", ["?\n"])
    with pytest.raises(RuntimeError, match="adapters"):
        answers(PATH, ["?\n"], adapters=[PATH])

"""Model cards: what each model was trained on and how well it answers questions that no training has seen."""

import hashlib
import json
import random
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from node.lab.skills import SKILLS, sample
from node.lab.training.answering import Answerer, count_correct
from node.lab.training.batches import ROUND
from node.lab.training.plan import BASE, Course, known_facts

MEASURED_SEED = 2024
MEASURED = 300  # held-out questions per skill


@dataclass(frozen=True, slots=True)
class Trained:
    """What a checkpoint tells of its training."""

    parameters: int
    rounds: int
    steps: int


OPENING = """# Reference models

Small Llama-architecture models (character vocabulary, context length 256, Q8_0) that this project trains itself with
`make models`, so that everything runs offline on real forward passes. They answer the seven kinds of made-up questions
of `node/lab/skills` and know nothing else. Licence: Apache-2.0, as the code.

**Asked** with the question and a line end; a choice lists its options: `Is 5 greater than 3? (yes / no)`. **Answers**
with one line; what is hard comes with a short worked step, and the answer is what follows the last `=>`.

**Trained** on questions drawn at random by `node/lab/skills`: first a common base on all skills, then each model on its
own mixture with its own seed. **Held out**: a question is kept from all training when the SHA-256 of its text says so
(one in ten); what a model is measured on, it has not seen. For facts this holds out the phrasing: a fact that a model
knows, it has met in another phrasing. Each model was shown its own part of the facts.

**The files at hand** are the first of their kind: their training began on a wider set of questions, with other worked
steps, and was narrowed on the way. A new `make models` trains on today's questions from the start.

**Not for use** outside tests, demonstrations and experiments.

Share of {measured} held-out questions per skill answered correctly, without sampling, by the files shipped:

"""


def measure(path: Path, questions: int) -> dict[str, dict[str, int]]:
    """Per skill, how many held-out questions were asked and how many were answered correctly."""
    model = Answerer(path)
    accuracy = {}
    for skill in SKILLS:
        rng = random.Random(f"{MEASURED_SEED}:{skill}")
        tasks = [sample(skill, rng, held_out=True) for _ in range(questions)]
        accuracy[skill] = {"questions": questions, "correct": count_correct(model, tasks)}
    return accuracy


def describe(course: Course, path: Path, trained: Trained, questions: int = MEASURED) -> dict[str, Any]:
    """The card of one model, as `cards.json` holds it."""
    data = path.read_bytes()
    return {
        "about": course.about,
        "sha256": hashlib.sha256(data).hexdigest(),
        "bytes": len(data),
        "parameters": trained.parameters,
        "quantization": "Q8_0",
        "strong": list(course.strong),
        "mixture": dict(course.weights),
        "facts_seen": len(known_facts(course)),
        "training": {
            "base_questions": BASE.rounds * ROUND,
            "base_seed": BASE.seed,
            "questions": trained.rounds * ROUND,
            "steps": trained.steps,
            "seed": course.seed,
        },
        "accuracy": measure(path, questions),
    }


def write_cards(cards: Mapping[str, Mapping[str, Any]], folder: Path) -> None:
    """Write `cards.json` for programs and `MODELCARD.md` for people."""
    text = json.dumps(cards, indent=2, sort_keys=True) + "\n"
    (folder / "cards.json").write_text(text, encoding="utf-8")
    (folder / "MODELCARD.md").write_text(rendered(cards), encoding="utf-8")


def rendered(cards: Mapping[str, Mapping[str, Any]]) -> str:
    """The model card in Markdown; the skills a model is meant to be strong in are bold."""
    lines = ["| model | " + " | ".join(SKILLS) + " |", "|---" * (len(SKILLS) + 1) + "|"]
    for name, card in sorted(cards.items()):
        cells = []
        for skill in SKILLS:
            count = card["accuracy"][skill]
            share = f"{count['correct'] / count['questions']:.2f}"
            cells.append(f"**{share}**" if skill in card["strong"] else share)
        lines.append(f"| {name} | {' | '.join(cells)} |")
    for name, card in sorted(cards.items()):
        training, mixture = card["training"], card["mixture"]
        total = sum(mixture.values())
        parts = ", ".join(f"{skill} {weight / total:.0%}" for skill, weight in mixture.items())
        lines += [
            "",
            f"## {name}: {card['about']}",
            "",
            f"- {card['parameters']:,} parameters, {card['bytes']:,} bytes, SHA-256 `{card['sha256']}`",
            f"- common base: {training['base_questions']:,} questions, seed {training['base_seed']}",
            f"- then {training['questions']:,} questions in {training['steps']:,} steps, seed {training['seed']}",
            f"- of these: {parts}",
            f"- shown {card['facts_seen']} of the facts about the world",
        ]
    return OPENING.format(measured=MEASURED) + "\n".join(lines) + "\n"

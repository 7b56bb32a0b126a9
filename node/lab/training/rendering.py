"""The model card for people, in Markdown, from the cards for programs."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from node.lab.skills import LEVELS, SKILLS
from node.lab.training.measuring import CALIBRATION_PER_LEVEL, PER_LEVEL, PER_WAY, SAMPLES, SHARED_WAYS

Card = Mapping[str, Any]
Cards = Mapping[str, Card]

OPENING = """# Reference models

Small Llama-architecture models (character vocabulary, context length 384, Q8_0) that this project trains itself with
`make models`, so that everything runs offline on real forward passes. They answer the eight kinds of made-up questions
of `node/lab/skills`, work with others' answers to them, and know nothing else. Licence: Apache-2.0, as the code.

**Asked** with the question and a line end; a choice lists its options: `Is 5 greater than 3? (yes / no)`. When they
work together, a line or two more tell what others answered (`coordinator/prompts.py`). **Answer** with one line; what
is hard comes with a short worked step, and the answer is what follows the last `=>`.

**Trained** on questions drawn at random by `node/lab/skills`, three in five asked plainly, the others in one of the
ways of working together (`ways.py`). First the `base`, on everything. From it goes on the
`steward`, a small generalist, and from that the `elder`, of three times the blocks, the new ones computing nothing at
first. Each specialist is the base, frozen, with a low-rank adapter of rank 32 trained on a mixture of its own; it comes
as a model with the adapter merged in and as the adapter alone (`NAME.lora.gguf`, for `base.gguf`). Being trained apart
from early on, they err apart more often. No specialist is for `compound`, questions made of other skills' questions.
All of it takes an hour and a half of two processor cores.

**Held out**: a question is kept from all training when the SHA-256 of its text and options says so (one in ten); what a
model is measured on, it has not seen. For facts this holds out the phrasing: a fact that a model knows, it has met in
another phrasing. Each model was shown its own part of the {facts} facts, on top of the base's.

**Not for use** outside tests, demonstrations and experiments: on anything but these questions they write nonsense.

**Made again** by `make models`: alike, not the same to the bit. What is drawn follows from seeds, but also from the
questions as they are then, and sums come out a little otherwise on another processor.
"""

WAYS_SAID = {
    "revise": "answers again, knowing others' answers and its own",
    "judge": "says whether an answer is right",
    "critique": "says whether an answer is right, and else what is",
    "reconsider": "answers again after a critique that may be mistaken",
    "choose": "picks the right one of several answers",
    "go_on": "takes up another's worked steps",
    "split": "splits a compound question into parts, word for word",
    "use": "answers a compound question from its parts' answers",
}


def rendered(cards: Cards) -> str:
    """The whole model card."""
    facts_of_all = max(card["facts_shown"] for card in cards.values())
    parts = (
        OPENING.format(facts=facts_of_all),
        accuracy(cards),
        ways(cards),
        calibration(cards),
        errors(cards),
        adapters(cards),
        speed(cards),
        *(about(name, card) for name, card in cards.items()),
    )
    return "".join(parts)


def share(count: Mapping[str, int]) -> str:
    """Correct of questions, as a share; a dash when nothing was asked."""
    return f"{count['correct'] / count['questions']:.2f}" if count["questions"] else "-"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def accuracy(cards: Cards) -> str:
    """By skill and level, without sampling; what a model is meant to be strong in is bold."""

    def cell(card: Card, skill: str) -> str:
        count = card["accuracy"][skill]
        levels = " ".join(share(count["levels"][str(level)]) for level in LEVELS)
        bold = "**" if skill in card["strong"] else ""
        return f"{bold}{share(count)}{bold} ({levels})"

    rows = [[name, *(cell(card, skill) for skill in SKILLS)] for name, card in cards.items()]
    return (
        f"\n## Answers\n\nShare of {PER_LEVEL * len(LEVELS)} held-out questions per skill answered correctly, without "
        f"sampling; in brackets those of level 1, 2 and 3.\n\n{table(['model', *SKILLS], rows)}"
    )


def ways(cards: Cards) -> str:
    """By way of working together."""
    rows = [[name, *(share(card["ways"][way]) for way in SHARED_WAYS)] for name, card in cards.items()]
    said = "".join(f"- `{way}`: {WAYS_SAID[way]}\n" for way in SHARED_WAYS)
    return (
        f"\n## Working together\n\nShare of {PER_WAY} held-out questions of all skills and levels that came out right, "
        f"without sampling.\n\n{said}\n{table(['model', *SHARED_WAYS], rows)}"
    )


def calibration(cards: Cards) -> str:
    """How far agreement among a model's samples tells that it is right."""
    temperature = next(iter(cards.values()))["calibration"]["temperature"]
    agreeing = [str(count) for count in range(1, SAMPLES + 1)]
    rows = []
    for name, card in cards.items():
        counts = card["calibration"]["agreement"]
        cells = [f"{share(counts[one])} of {counts[one]['questions']}" for one in agreeing]
        rows.append([name, *cells, f"{card['calibration']['error']:.3f}"])
    asked = CALIBRATION_PER_LEVEL * len(LEVELS) * len(SKILLS)
    return (
        f"\n## As sure as it seems\n\n{asked} of the questions, each answered {SAMPLES} times at temperature "
        f"{temperature}: how often the commonest answer is right, by how many of the {SAMPLES} agree on it; and the "
        "expected calibration error, the agreeing share taken for the confidence.\n\n"
        f"{table(['model', *agreeing, 'error'], rows)}"
    )


def errors(cards: Cards) -> str:
    """How often two models that both err give the same wrong answer."""

    def cell(one: str, other: str) -> str:
        if one == other:
            return ""
        pair = cards[one]["errs_with"][other]
        return share({"correct": pair["alike"], "questions": pair["both_err"]})

    rows = [[one, *(cell(one, other) for other in cards)] for one in cards]
    return (
        "\n## Errors in common\n\nWhere two models both err, the share of questions on which they give the same wrong "
        f"answer: voting cannot mend these.\n\n{table(['', *cards], rows)}"
    )


def adapters(cards: Cards) -> str:
    """The adapter on its base beside the merged file."""
    rows = []
    for name, card in cards.items():
        if "adapter" in card:
            one = card["adapter"]
            asked = one["questions"]
            parts = [f"{one[key] / asked:.3f}" for key in ("merged_correct", "adapted_correct", "same_reply")]
            rows.append([name, str(asked), *parts])
    head = ["model", "questions", "merged", "base and adapter", "same reply"]
    return (
        "\n## Adapters\n\nA specialist's own skills, answered by its merged file and by the base with its adapter; "
        f"both are rounded, one after and one before merging.\n\n{table(head, rows)}"
    )


def speed(cards: Cards) -> str:
    """How fast each answers, beside the first."""
    first = next(iter(cards))
    rows = []
    for name, card in cards.items():
        one = card["speed"]
        rate = one["questions"] / one["seconds"]
        times = cards[first]["speed"]["seconds"] / one["seconds"]
        rows.append([name, f"{card['parameters']:,}", f"{rate:.0f}", f"{times:.2f}"])
    one = cards[first]["speed"]
    return (
        f"\n## Speed\n\n{one['questions']} of the questions, {one['at_once']} at a time, on one thread of the machine "
        "that measured; elsewhere the ratios tell more. Who writes longer steps takes longer.\n\n"
        f"{table(['model', 'parameters', 'answers a second', f'times {first}'], rows)}"
    )


def about(name: str, card: Card) -> str:
    """What one model is, and how it came about."""
    training, mixture = card["training"], card["mixture"]
    parts = ", ".join(f"{skill} {mixture[skill]:.0%}" for skill in SKILLS)
    lines = [
        f"\n## {name}: {card['about']}\n",
        f"- {card['parameters']:,} parameters, {card['bytes']:,} bytes, SHA-256 `{card['sha256']}`",
        f"- started from {card['start'] or 'chance'}; {training['rounds']} rounds of {training['rows_per_round']:,} "
        f"rows, {training['tokens']:,} tokens in {training['steps']:,} steps, seed {training['seed']}",
        f"- of these: {parts}",
        f"- shown {card['facts_shown']} of the facts about the world",
    ]
    if "adapter" in card:
        adapter = card["adapter"]
        lines.append(f"- adapter: rank {adapter['rank']}, {adapter['bytes']:,} bytes, SHA-256 `{adapter['sha256']}`")
    return "\n".join(lines) + "\n"

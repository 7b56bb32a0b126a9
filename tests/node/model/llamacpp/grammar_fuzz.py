"""Follows random grammars with a random model of all bytes, in a process that may die of it: see test_grammar.py."""

import random
import sys
from pathlib import Path

from node.model.engine import LoadSettings
from node.model.errors import GrammarInvalid
from node.model.llamacpp.context import Context
from node.model.llamacpp.grammar import gbnf_of
from node.model.llamacpp.model import Model
from node.model.requests import Grammar, Sampling
from tests.node.model.llamacpp.driving import ask, write

LETTERS = ["a", "b", "é", "😀", " ", r"\n", r"\x00", r"\u0431", r"\"", "☃"]
RANGES = ["a", "b", "a-f", "а-я", r"\x00-\x1f", "😀", r"\U0001F600-\U0001F64F", r"\]", "0-9"]
REPEATED = ["*", "+", "?", "{2}", "{1,3}", "{0,2}", "{2,}"]
RULES = ("root", "r1", "r2", "r3")
NESTING_MAX = 3


def alternatives(rng: random.Random, later: tuple[str, ...], nesting: int) -> str:
    """Only later rules are named: without recursion no grammar has so many readings that following it hangs."""
    sequences = [
        " ".join(item(rng, later, nesting) for _ in range(rng.randint(0, 4))) or '""' for _ in range(rng.randint(1, 3))
    ]
    return " | ".join(sequences)


def item(rng: random.Random, later: tuple[str, ...], nesting: int) -> str:
    match rng.randrange(8):
        case 0 | 1:
            return f'"{"".join(rng.choices(LETTERS, k=rng.randint(1, 3)))}"'
        case 2 | 3:
            return f"[{rng.choice(['', '^'])}{''.join(rng.choices(RANGES, k=rng.randint(1, 3)))}]"
        case 4 if later:
            return rng.choice(later)
        case 5 if nesting < NESTING_MAX:
            return f"({alternatives(rng, later, nesting + 1)})"
        case 6 if nesting < NESTING_MAX:
            return item(rng, later, nesting + 1) + rng.choice(REPEATED)
        case _:
            return "."


def main(path: str, seed: str, grammars: str) -> None:
    """Prints how many grammars were followed, refused and given up."""
    model = Model(Path(path), LoadSettings())
    context = Context(model, 1, 1_024, 64, 1)
    rng = random.Random(int(seed))
    followed = refused = given_up = 0
    for _ in range(int(grammars)):
        text = "\n".join(f"{name} ::= {alternatives(rng, RULES[place + 1 :], 0)}" for place, name in enumerate(RULES))
        sampling = Sampling(temperature=rng.choice([0.0, 1.0, 3.0]))
        try:
            sampler = context.sampler(sampling, rng.getrandbits(32), gbnf_of(Grammar("gbnf", text), model.vocabulary))
        except GrammarInvalid:
            refused += 1
            continue
        context.clear()
        try:
            write(context, sampler, ask(context, ""), tokens=50)
            followed += 1
        except GrammarInvalid:
            given_up += 1
        sampler.close()
    print(followed, refused, given_up)


if __name__ == "__main__":
    main(*sys.argv[1:])

"""From what an answer must look like to a grammar that llama.cpp follows."""

from node.model.errors import GrammarInvalid
from node.model.llamacpp.gbnf_check import check
from node.model.llamacpp.native import native
from node.model.llamacpp.sampler import read_grammar
from node.model.llamacpp.vocabulary import Vocabulary
from node.model.requests import Grammar

GBNF_LENGTH_MAX = 262_144
"""A schema's grammar is longer than the schema."""


def gbnf_of(grammar: Grammar, vocabulary: Vocabulary) -> str:
    """The grammar in GBNF, read once by llama.cpp to see that it can.

    Raises:
        GrammarInvalid: it cannot be used; the message says why.
    """
    text = grammar.text
    if grammar.kind == "json_schema":
        from node.model.llamacpp.schema import gbnf_of_schema  # a converter that most processes never need

        text = gbnf_of_schema(text)
    if len(text) > GBNF_LENGTH_MAX:
        raise GrammarInvalid(f"as GBNF it has {len(text)} letters; at most {GBNF_LENGTH_MAX} are followed")
    if "\0" in text or any(0xD800 <= ord(letter) < 0xE000 for letter in text):
        raise GrammarInvalid("it has a letter that is none: a zero or half a surrogate pair")
    check(text)
    native.llama_sampler_free(read_grammar(vocabulary.pointer, text))
    return text

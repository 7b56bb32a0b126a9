"""Answers that must look like something: they do, and no grammar ends or hangs the process that is refused here."""

import json
import math
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from node.model.engine import LoadSettings
from node.model.errors import GrammarInvalid
from node.model.llamacpp import sampler as sampling_module
from node.model.llamacpp.context import Context
from node.model.llamacpp.grammar import gbnf_of
from node.model.llamacpp.model import Model
from node.model.requests import GRAMMAR_LENGTH_MAX, GREEDY, Grammar, Sampling
from tests.node.model.gguf_files import write_model
from tests.node.model.llamacpp.driving import ask, text_of, write

WARM = Sampling(temperature=1.0)
LETTERS = "abc"


def answer(context: Context, grammar: Grammar, *, seed: int = 0, tokens: int = 100, sampling: Sampling = WARM) -> str:
    context.clear()
    sampler = context.sampler(sampling, seed, gbnf_of(grammar, context.model.vocabulary))
    try:
        return text_of(context, write(context, sampler, ask(context), tokens=tokens))
    finally:
        sampler.close()
        context.clear()


@pytest.mark.parametrize("sampling", [GREEDY, WARM, Sampling(temperature=2.0, top_k=5, top_p=0.9, min_p=0.01)])
def test_answers_are_what_the_grammar_says(context: Context, sampling: Sampling) -> None:
    grammar = Grammar("gbnf", 'root ::= sign? [1-9] [0-9]{0,3} ("." [0-9]+)?  # a number\nsign ::= "-"')
    for seed in range(5):
        float(answer(context, grammar, seed=seed, tokens=30, sampling=sampling) or "0")


def test_one_of_three_words(context: Context) -> None:
    found = {answer(context, Grammar("gbnf", 'root ::= "yes" | "no" | "maybe"'), seed=seed) for seed in range(30)}
    assert found == {"yes", "no", "maybe"}


def test_a_grammar_of_nothing_gives_an_empty_answer(context: Context) -> None:
    assert answer(context, Grammar("gbnf", 'root ::= ""')) == ""


def test_what_is_drawn_again_comes_as_often_as_it_is_likely(context: Context) -> None:
    """Drawing first without the grammar must not change how likely the allowed tokens are among themselves."""
    output = ask(context)
    vocabulary = context.model.vocabulary
    tokens = [vocabulary.plain(letter)[0] for letter in LETTERS]
    weights = [math.exp(value) for value in context.logprobs_of(output, tokens)]
    count = 1_500
    text = gbnf_of(Grammar("gbnf", "root ::= [abc]"), vocabulary)
    found: Counter[int] = Counter()
    for seed in range(count):
        sampler = context.sampler(WARM, seed, text)
        found[sampler.draw(output)] += 1
        sampler.close()
    assert set(found) <= set(tokens)
    for token, weight in zip(tokens, weights, strict=True):
        share = weight / sum(weights)
        assert abs(found[token] / count - share) < 5 * math.sqrt(share * (1 - share) / count)


def test_steering_and_grammar_together(context: Context) -> None:
    output = ask(context)
    vocabulary = context.model.vocabulary
    steer = {vocabulary.plain("c")[0]: 50.0, vocabulary.plain("z")[0]: 90.0}
    sampler = context.sampler(GREEDY, 0, gbnf_of(Grammar("gbnf", "root ::= [abc] [xyz]"), vocabulary), steer)
    text = text_of(context, write(context, sampler, output, tokens=5))
    assert text[0] == "c"
    assert text[1] in "xyz"
    sampler.close()


def test_a_grammar_that_the_vocabulary_cannot_write_is_an_error(context: Context) -> None:
    """llama.cpp would take a token all the same, and end the process when the grammar refuses it."""
    with pytest.raises(GrammarInvalid, match="no token of this model's vocabulary can go on from here"):
        answer(context, Grammar("gbnf", 'root ::= "a" [а-я]+'))


def test_letters_of_several_bytes_are_written_byte_by_byte(tmp_path: Path) -> None:
    model = Model(write_model(tmp_path / "bytes.gguf"), LoadSettings())
    context = Context(model, 1, 1_024, 64, 1)
    for seed in range(10):
        text = answer(context, Grammar("gbnf", 'root ::= [а-я]{1,3} ("é" | "😀")'), seed=seed)
        assert all("а" <= letter <= "я" for letter in text[:-1])
        assert text[-1] in "é😀"
    context.close()
    model.close()


@pytest.mark.parametrize("seed", range(3))
def test_random_grammars_do_not_end_the_process(model_file: Path, seed: int) -> None:
    """If a token that was allowed could not be accepted, llama.cpp would end the process."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.node.model.llamacpp.grammar_fuzz", str(model_file), str(seed), "300"],
        capture_output=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr.decode()[-2_000:]
    followed, refused, given_up = map(int, done.stdout.split())
    assert followed > 150
    assert followed + refused + given_up == 300


def test_a_grammar_of_too_many_readings_is_given_up(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its states double with every letter: without a limit the process would hang for ever."""
    monkeypatch.setattr(sampling_module, "GRAMMAR_STEP_SECONDS_MAX", 0.05)
    grammar = Grammar("gbnf", 'root ::= s\ns ::= "a" s "b" | "a" s "c"')
    with pytest.raises(GrammarInvalid, match="too many ways at once"):
        answer(context, grammar, tokens=200)


SCHEMA = {
    "type": "object",
    "properties": {
        "answer": {"enum": ['a"b\\c', "d"]},
        "count": {"type": "integer"},
        "list_": {"type": "array", "items": {"$ref": "#/$defs/nested_list"}, "minItems": 1, "maxItems": 3},
    },
    "required": ["answer", "count", "list_"],
    "$defs": {
        "nested_list": {
            "anyOf": [{"type": "null"}, {"type": "array", "items": {"$ref": "#/$defs/nested_list"}, "maxItems": 2}]
        }
    },
}


def test_answers_fit_a_schema(context: Context) -> None:
    """With quotes inside of constants, a definition that names itself, and a name that is no name of a grammar."""
    whole = 0
    for seed in range(10):
        text = answer(context, Grammar("json_schema", json.dumps(SCHEMA)), seed=seed, tokens=230)
        try:
            found = json.loads(text)
        except ValueError:
            continue  # the model wrote on until the tokens were spent
        whole += 1
        assert found["answer"] in SCHEMA["properties"]["answer"]["enum"]  # type: ignore[index]
        assert isinstance(found["count"], int)
        assert 1 <= len(found["list_"]) <= 3
    assert whole >= 3


BEGINS_IN_MANY_WAYS = "root ::= r0\n" + "\n".join(f"r{i} ::= r{i + 1} | r{i + 1}" for i in range(40)) + '\nr40 ::= "x"'
CHAIN = "root ::= a0\n" + "\n".join(f"a{i} ::= a{i + 1}" for i in range(900)) + "\na900 ::= [x]"
REFUSED = {
    "left recursion": ('root ::= root "x" | "y"', "left recursion: root begins with root"),
    "left recursion of several": ('root ::= a "x"\na ::= b\nb ::= root | "z"', "left recursion"),
    "hidden left recursion": ('root ::= b root "y" | "x"\nb ::= c\nc ::= ""', "left recursion"),
    "no root": ('start ::= "x"', "no rule called root"),
    "nothing": (" \n# only words\n", "no rule called root"),
    "no such rule": ("root ::= foo", "names foo"),
    "backwards repetition": ('root ::= "a"{5,2}', "from 5 to 2 times"),
    "huge repetition": ('root ::= "a"{100000}', "more than 1000 repetitions"),
    "absurd repetition": ('root ::= "a"{0,99999999999999999999999}', "more than 1000 repetitions"),
    "a long text repeated": (f'root ::= "{"a" * 60_000}"{{900}}', "with repetitions written out"),
    "beginnings": (BEGINS_IN_MANY_WAYS, "in too many ways"),
    "parentheses": (f"root ::= {'(' * 20_000}{')' * 20_000}", "64 parentheses are open"),
    "zero": ('root ::= "a\0b"', "a letter that is none"),
    "half a pair": ('root ::= "\ud800"', "a letter that is none"),
    "unknown escape": (r'root ::= "\d"', "unknown escape in line 1"),
    "short escape": (r'root ::= "\u12"', "hexadecimal digits are missing"),
    "a token by name": ("root ::= <é>", "tokens cannot be named"),
    "a token by number": ("root ::= !<[99999999999]>", "tokens cannot be named"),
    "an empty set": ("root ::= []", "a set of letters is empty"),
    "an open text": ('root ::= "abc', "ends too early"),
    "an open set": ("root ::= [abc", "ends too early"),
    "an open parenthesis": ('root ::= ("a"', "closing parenthesis is missing"),
    "an open repetition": ('root ::= "a"{2', "} is missing"),
    "a repetition of nothing": ("root ::= *", "nothing to repeat"),
    "a repetition of an empty text": ('root ::= ""*', "nothing to repeat"),
    "no number": ('root ::= "a"{}', "a number is missing"),
    "no name": ('::= "a"', "a name is missing"),
    "no definition": ('root = "a"', "::= is missing"),
    "too much": ('root ::= "a") "b"', "the rule should end"),
    "many rules": ("\n".join(f"r{i} ::= [a]" for i in range(3_000)), "more than 1000 rules"),
    "an empty part that repeats": ('root ::= ("" | "a")* "b"', "left recursion detected"),
}


@pytest.mark.parametrize(("text", "problem"), REFUSED.values(), ids=REFUSED)
def test_a_grammar_that_cannot_be_followed_is_refused(letters: Model, text: str, problem: str) -> None:
    with pytest.raises(GrammarInvalid, match=problem):
        gbnf_of(Grammar("gbnf", text), letters.vocabulary)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('root ::= "q"{3} "r"{2,} [s]{0,4} . (a|"")? # end\r\na ::= [^a-z\\]-]+\n # more\n', id="signs"),
        pytest.param('root ::= "\\"\\\\\\n\\r\\t\\x41\\u0041\\U0001F600" [\\[\\]\\-a-]', id="all escapes"),
        pytest.param('root ::= ((("a"{10}){10}){10})', id="repetitions of repetitions"),
        pytest.param('root ::= a{1000}\na ::= b{1000}\nb ::= "x"{1000}', id="a thousand each"),
        pytest.param('root ::= ("a"?)* "b" | ("c"*)* "d"', id="stars of what may be empty"),
        pytest.param("root ::= " + '"a"? ' * 1_500 + '"b"', id="many that may be missing"),
        pytest.param('root ::=\n  "a" |\n  (\n"b"\n|\n"c"\n)\n\nunused ::= root', id="lines"),
        pytest.param('root ::= object\nobject ::= "{" object? "}"', id="recursion that is none on the left"),
        pytest.param(CHAIN, id="a chain"),
    ],
)
def test_what_can_be_followed_is_not_refused(letters: Model, text: str) -> None:
    assert gbnf_of(Grammar("gbnf", text), letters.vocabulary) == text


def test_what_is_refused_here_really_hangs_or_ends_llama_cpp(letters_file: Path) -> None:
    """If llama.cpp bears one of these some day, our refusal of it can go."""
    program = (
        "import sys\nfrom pathlib import Path\nfrom node.model.engine import LoadSettings\n"
        "from node.model.llamacpp.model import Model\nfrom node.model.llamacpp.sampler import read_grammar\n"
        "model = Model(Path(sys.argv[1]), LoadSettings())\nprint('begin', flush=True)\n"
        "import resource\nresource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))\n"
        "resource.setrlimit(resource.RLIMIT_CPU, (2, 2))\n"
        "read_grammar(model.vocabulary.pointer, sys.argv[2])\nprint('read')\n"
    )
    for name in ("hidden left recursion", "backwards repetition", "beginnings", "parentheses"):
        done = subprocess.run(
            [sys.executable, "-c", program, str(letters_file), REFUSED[name][0]],
            capture_output=True,
            timeout=60,
        )
        assert done.stdout == b"begin\n", name
        assert done.returncode < 0, name


def schema(**parts: object) -> str:
    return json.dumps(parts)


BAD_SCHEMAS = {
    "no JSON": ("{", "no JSON"),
    "no schema": ("3", "3 is no schema"),
    "a list": ("[]", "is no schema"),
    "deep": ("[" * 10_000 + "]" * 10_000, "nested too deeply"),
    "deep parts": ('{"anyOf":[' * 400 + "{}" + "]}" * 400, "nested too deeply"),
    "unknown type": (schema(type="colour"), "Unrecognized schema"),
    "endless text": (schema(type="string", minLength=10**9), "minLength is 1000000000; choose 0 to 256"),
    "endless list": (schema(items={}, maxItems=10**9), "maxItems is 1000000000"),
    "negative": (schema(items={}, minItems=-1), "minItems is -1"),
    "a list from 5 to 2": (schema(items={"type": "null"}, minItems=5, maxItems=2), "minItems is 5 and maxItems is 2"),
    "endless behind a name": (
        json.dumps({"$ref": "#/default", "default": {"type": "string", "minLength": 10**9}}),
        "minLength is 1000000000",
    ),
    "a pattern that loops": (schema(type="string", pattern="^]$"), "cannot be read from"),
    "a pattern that loops too": (schema(type="string", pattern="^a}$"), "cannot be read from"),
    "an endless pattern": (schema(type="string", pattern="^a{100000}$"), "100000; choose 0 to 256"),
    "a pattern in the middle": (schema(type="string", pattern="a"), "Pattern must start"),
    "a pattern with nothing to repeat": (schema(type="string", pattern="^*$"), "cannot be followed"),
    "another machine's schema": (schema(**{"$ref": "https://example.org/x.json"}), "only parts of the schema itself"),
    "nothing there": (schema(**{"$ref": "#/nothing"}), "#/nothing is not in the schema"),
    "a circle": (schema(**{"$ref": "#/a"}, a={"$ref": "#/a"}), "left recursion"),
    "a number for a name": (schema(**{"$ref": 3}), "only parts of the schema itself"),
    "no choice": (schema(anyOf=[]), "anyOf offers nothing"),
    "not followed": (schema(type="integer", minimum=3), "minimum cannot be made a grammar"),
    "half a pair": ('{"const": "\\ud800"}', "a letter that is none"),
    "much": (json.dumps({"enum": ["x" * 60_000] * 1, "title": "é"}), None),
}


@pytest.mark.parametrize(("text", "problem"), BAD_SCHEMAS.values(), ids=BAD_SCHEMAS)
def test_a_schema_that_cannot_be_followed_is_refused(letters: Model, text: str, problem: str | None) -> None:
    if problem is None:
        gbnf_of(Grammar("json_schema", text), letters.vocabulary)
        return
    with pytest.raises(GrammarInvalid, match=problem):
        gbnf_of(Grammar("json_schema", text), letters.vocabulary)


def test_definitions_that_name_two_of_the_next_are_gone_through_once(letters: Model) -> None:
    """The converter alone takes 2^n steps when their names have an underscore."""
    definitions = {f"d_{i}": {"type": "array", "items": {"anyOf": [{"$ref": f"#/d_{i + 1}"}] * 2}} for i in range(60)}
    text = json.dumps({"$ref": "#/d_0", **definitions, "d_60": {"type": "null"}})
    assert len(text) < GRAMMAR_LENGTH_MAX
    assert "d-60-of-60" in gbnf_of(Grammar("json_schema", text), letters.vocabulary)

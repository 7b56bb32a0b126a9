"""`moot model try` and `moot model bench`: what is asked, what is printed, and how an answer is given up."""

import json
import os
import pty
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from node.errors import Exit
from tests.node.model.gguf_files import Shape, write_model
from tests.node.model.gguf_others import adapter_sizes, write_adapter

ROOT = Path(__file__).parents[3]
SUM = "What is 17 plus 25?"
SAGE = "reference:sage"


@pytest.fixture(scope="session")
def slow_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Slow enough that a long answer of it takes many seconds."""
    shape = Shape(width=512, layers=8, feed_forward=2_048, context_length=8_192)
    return write_model(tmp_path_factory.mktemp("models") / "slow.gguf", shape=shape)


def test_one_prompt_gets_one_answer(moot: Any) -> None:
    ran = moot("model", "try", SAGE, SUM)
    assert ran.code == Exit.OK
    report = json.loads(moot("model", "try", SAGE, SUM, "--json").out)
    assert ran.out == report["texts"][0]
    assert "the model ended it" in ran.err
    account = report["account"]
    assert f"{account['forward_passes']} forward passes; {account['prompt_tokens']} tokens in, " in ran.err


def test_the_account_is_of_the_answer(moot: Any) -> None:
    ran = moot("model", "try", SAGE, SUM, "--json", "--tokens", "5", "--samples", "3", "--likelihood")
    report = json.loads(ran.out)
    assert report["ends"] == ["length"] * 3
    assert report["lengths"] == [5] * 3
    assert report["account"]["generated_tokens"] == 15
    assert 0 < report["account"]["prompt_tokens"] <= len(SUM) + 2, "once for all samples"
    assert all(logprob <= 0 for logprob in report["logprobs"])
    assert len(set(report["texts"])) == 1, "greedy"


def test_what_options_ask_for_reaches_the_model(moot: Any) -> None:
    drawn = [
        json.loads(moot("model", "try", SAGE, SUM, "--json", "--temperature", "5", "--seed", seed).out)["texts"][0]
        for seed in ("1", "1", "2")
    ]
    assert drawn[0] == drawn[1] != drawn[2]
    (whole,) = json.loads(moot("model", "try", SAGE, SUM, "--json").out)["texts"]
    stopped = json.loads(moot("model", "try", SAGE, SUM, "--json", "--stop", whole[2:4], "--stop", "never").out)
    assert (stopped["ends"], stopped["texts"]) == (["stop"], [whole.split(whole[2:4])[0]])
    written = json.loads(moot("model", "try", SAGE, SUM, "--json", "--written", whole[:3]).out)
    assert written["texts"] == [whole[3:]], "greedy, so it goes on as it did"


def test_options_are_scored_likeliest_first(moot: Any) -> None:
    prompt = "What is the capital of France?"
    ran = moot("model", "try", SAGE, prompt, "--option", "Rome", "--option", "Paris", "--calibrated")
    assert [line.split()[0] for line in ran.out.splitlines()] == ["answer", "Paris", "Rome"]
    report = json.loads(moot("model", "try", SAGE, prompt, "--option", "Rome", "--option", "Paris", "--json").out)
    assert [option["text"] for option in report["options"]] == ["Rome", "Paris"]
    assert sum(option["share"] for option in report["options"]) == pytest.approx(1)
    assert all(option["tokens"] <= len(option["text"]) for option in report["options"])


def test_the_likeliest_next_tokens(moot: Any) -> None:
    report = json.loads(moot("model", "try", SAGE, SUM, "--next", "4", "--json").out)
    logprobs = [token["logprob"] for token in report["tokens"]]
    assert logprobs == sorted(logprobs, reverse=True)
    assert len(logprobs) == 4
    assert report["account"]["generated_tokens"] == 0
    shown = moot("model", "try", SAGE, SUM, "--next", "1").out.splitlines()[1].split()
    assert shown[0] == repr(report["tokens"][0]["text"])


def test_a_schema_and_a_grammar_are_followed(moot: Any, tmp_path: Path) -> None:
    schema, grammar = tmp_path / "schema.json", tmp_path / "answer.gbnf"
    schema.write_text('{"type": "object", "properties": {"sum": {"type": "integer"}}, "required": ["sum"]}')
    ran = moot("model", "try", SAGE, SUM, "--schema", str(schema), "--tokens", "30")
    assert isinstance(json.loads(ran.out)["sum"], int)
    grammar.write_text('root ::= "yes" | "no"')
    assert moot("model", "try", SAGE, SUM, "--grammar", str(grammar)).out in ("yes\n", "no\n")


def test_an_adapter_changes_the_answer_by_its_scale(moot: Any, tmp_path: Path) -> None:
    model, adapter = write_model(tmp_path / "m.gguf"), write_adapter(tmp_path / "a.gguf")

    def logprob(*options: str) -> float:
        ran = moot("model", "try", str(model), "Hello", "--option", "yes", "--json", *options)
        found: float = json.loads(ran.out)["options"][0]["logprob"]
        return found

    plain = logprob()
    assert logprob("--adapter", f"{adapter}:0") == pytest.approx(plain, abs=1e-4)
    assert abs(logprob("--adapter", str(adapter)) - plain) > 0.01
    half = ("--adapter", f"{adapter}:0.5")
    assert logprob(*half, *half) == pytest.approx(logprob("--adapter", str(adapter)), abs=1e-4), "scales add up"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--temperature", "11"], Exit.USAGE, "temperature is 11"),
        (["--samples", "65"], Exit.USAGE, "samples is 65"),
        (["--tokens", "0"], Exit.USAGE, "tokens_max is 0"),
        (["--option", ""], Exit.USAGE, "continuation is empty"),
        (["--option", "a", "--next", "3"], Exit.USAGE, "choose one"),
        (["--closed"], Exit.USAGE, "--option"),
        (["--next", "0"], Exit.USAGE, "top is 0"),
        (["--schema", "/no/such/schema"], Exit.USAGE, "No such file"),
        (["--adapter", "/no/such/adapter:2"], Exit.MODEL_MISSING, "/no/such/adapter"),
        (["--adapter", "node/model/reference/abacus.gguf"], Exit.ADAPTER, "not an adapter"),
        (["--threads", "0"], Exit.USAGE, "threads is 0"),
        (["--parallel", "1000"], Exit.USAGE, "parallel is 1000"),
    ],
)
def test_what_cannot_be_asked(moot: Any, arguments: list[str], code: Exit, said: str) -> None:
    ran = moot("model", "try", SAGE, SUM, *arguments)
    assert (ran.code, ran.out) == (code, "")
    assert said in ran.err


@pytest.mark.parametrize(
    ("option", "text", "code"),
    [
        ("--grammar", 'root ::= root "x"', Exit.GRAMMAR),
        ("--grammar", "root ::= (", Exit.GRAMMAR),
        ("--schema", '{"type": "nothing"}', Exit.GRAMMAR),
        ("--schema", "{", Exit.GRAMMAR),
        ("--schema", "", Exit.USAGE),
    ],
)
def test_a_grammar_that_cannot_be_followed(moot: Any, tmp_path: Path, option: str, text: str, code: Exit) -> None:
    (tmp_path / "file").write_text(text)
    ran = moot("model", "try", SAGE, SUM, option, str(tmp_path / "file"))
    assert (ran.code, ran.out) == (code, "")
    assert "Traceback" not in ran.err


def test_a_prompt_that_is_too_long(moot: Any) -> None:
    ran = moot("model", "try", SAGE, "why? " * 100)
    assert ran.code == Exit.PROMPT_TOO_LONG
    assert "fit: shorten it" in ran.err


def test_an_adapter_of_another_model(moot: Any, tmp_path: Path) -> None:
    other = write_adapter(tmp_path / "other.gguf", sizes=adapter_sizes(Shape(width=32)))
    assert moot("model", "try", SAGE, SUM, "--adapter", str(other)).code == Exit.ADAPTER


def test_an_adapter_makes_a_specialist_of_the_base(moot: Any) -> None:
    """As the adapter merged in does, but for its rounding."""

    def logprob(model: str, *options: str) -> float:
        ran = moot("model", "try", model, SUM, "--option", "42", "--json", *options)
        found: float = json.loads(ran.out)["options"][0]["logprob"]
        return found

    merged, plain = logprob("reference:abacus"), logprob("reference:base")
    assert abs(logprob("reference:base", "--adapter", "reference:abacus") - merged) < abs(plain - merged) / 2
    assert logprob("reference:base", "--adapter", "reference:abacus:0") == pytest.approx(plain, abs=1e-4)


def test_an_adapter_with_a_scale_that_cannot_be(moot: Any, tmp_path: Path) -> None:
    model, adapter = write_model(tmp_path / "m.gguf"), write_adapter(tmp_path / "a.gguf")
    ran = moot("model", "try", str(model), "Hello", "--adapter", f"{adapter}:1000")
    assert (ran.code, ran.out) == (Exit.USAGE, "")
    assert "scale is 1000" in ran.err


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "node", "model", "try", *arguments]


def test_every_line_of_stdin_is_a_prompt() -> None:
    """One that cannot be answered is said, and the next is asked nevertheless."""
    lines = f"{SUM}\n\n{'why? ' * 100}\n{SUM}\n"
    ran = subprocess.run(
        command(SAGE, "--json"), cwd=ROOT, input=lines, capture_output=True, text=True, timeout=60, check=False
    )
    first, second, third = map(json.loads, ran.stdout.splitlines())
    assert ran.returncode == Exit.FAILED
    assert first["texts"] == third["texts"]
    assert second["exit_code"] == Exit.PROMPT_TOO_LONG
    assert third["account"]["cached_tokens"] > 0, "one process answered all"


class Terminal:
    """A command on a terminal of its own, and a person at it."""

    def __init__(self, *arguments: str) -> None:
        self._ours, theirs = pty.openpty()
        environment = {**os.environ, "TERM": "dumb"}
        self.process = subprocess.Popen(
            command(*arguments), cwd=ROOT, stdin=theirs, stdout=theirs, stderr=theirs, env=environment
        )
        os.close(theirs)
        self.seen = ""

    def type(self, text: str) -> None:
        os.write(self._ours, text.encode())

    def wait_for(self, text: str) -> None:
        """Until the text has appeared, after what was waited for before."""
        self._read_until(lambda: text in self.seen)
        self.seen = self.seen.split(text, 1)[1]

    def wait_for_letters(self, count: int) -> None:
        """Until so many have appeared, whatever they are."""
        self._read_until(lambda: len(self.seen) >= count)
        self.seen = self.seen[count:]

    def _read_until(self, true: Callable[[], bool]) -> None:
        while not true():
            assert select.select([self._ours], [], [], 60)[0], self.seen
            self.seen += os.read(self._ours, 4_096).decode("utf-8", "replace")

    def interrupt(self) -> None:
        self.process.send_signal(signal.SIGINT)

    def interrupt_until_it_ends(self) -> int:
        """A signal between the showing of a prompt and the wait for a key is noticed only at the next one."""
        for _ in range(20):
            self.interrupt()
            try:
                return self.process.wait(2)
            except subprocess.TimeoutExpired:
                continue
        raise AssertionError("it does not end")

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._ours)


@pytest.fixture
def terminal(slow_file: Path) -> Iterator[Terminal]:
    opened = Terminal(str(slow_file), "--tokens", "4000", "--context-length", "8192", "--temperature", "1")
    yield opened
    opened.close()


def test_ctrl_c_ends_the_answer_and_then_the_command(terminal: Terminal) -> None:
    terminal.wait_for("> ")
    terminal.type("Tell me all\n")
    terminal.wait_for("all\r\n")
    terminal.wait_for_letters(10)  # it is answering
    terminal.interrupt()
    terminal.wait_for("cancelled; Ctrl-C or Ctrl-D ends")
    terminal.wait_for("> ")
    terminal.type("Hello\n")
    terminal.wait_for("Hello\r\n")
    terminal.wait_for_letters(10)
    terminal.interrupt()
    terminal.wait_for("cancelled")
    terminal.wait_for("> ")
    assert terminal.interrupt_until_it_ends() == 130


def test_a_model_that_died_answers_again(terminal: Terminal) -> None:
    """Its process is started again for a person who goes on asking."""
    terminal.wait_for("> ")
    (pid,) = children(terminal.process.pid)
    os.kill(pid, signal.SIGKILL)
    terminal.type("Hello\n")
    terminal.wait_for("the model's process was ended by SIGKILL")
    terminal.wait_for("> ")
    terminal.type("Hello again\n")
    terminal.wait_for("again\r\n")
    terminal.wait_for_letters(10)
    assert children(terminal.process.pid) not in ([], [pid])


def children(pid: int) -> list[int]:
    return list(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))


def test_ctrl_d_ends_the_command(terminal: Terminal) -> None:
    terminal.wait_for("> ")
    terminal.type("\x04")
    assert terminal.process.wait(20) == Exit.OK


def test_bench_says_what_came_out(moot: Any) -> None:
    ran = moot("model", "bench", SAGE, "--seconds", "0.3", "--callers", "1,3", "--tokens", "6", "--json")
    assert ran.code == Exit.OK
    report = json.loads(ran.out)
    assert [level["callers"] for level in report["levels"]] == [1, 3]
    for level in report["levels"]:
        assert level["answers_per_s"] == pytest.approx(level["answers"] / level["seconds"], rel=0.01)
        assert 0 < level["tokens_an_answer"] <= 6
        assert 0 < level["median_ms"] <= level["high_ms"]
        assert level["memory_bytes"] > 1 << 20
    assert report["prompt_tokens_per_s"] > 0
    table = moot("model", "bench", SAGE, "--seconds", "0.2", "--callers", "2").out.splitlines()
    assert table[0].split()[:2] == ["callers", "answers/s"]
    assert table[1].split()[0] == "2"


@pytest.mark.parametrize("callers", ["0", "1,x", "", "257"])
def test_bench_with_callers_that_cannot_be(moot: Any, callers: str) -> None:
    assert moot("model", "bench", SAGE, "--callers", callers).code == Exit.USAGE

"""`moot model show` and `moot model verify`: what is said of a model, and how each kind of bad file ends."""

import asyncio
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from node.errors import Exit
from node.model import reference
from tests.node.model.gguf_files import Shape, write_model
from tests.node.model.gguf_others import adapter_sizes, write_adapter, write_recurrent_model
from tests.node.model.remote.servers import ToyServer

SAGE = "reference:sage"


@pytest.fixture(scope="session")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("models") / "random.gguf")


def test_show_says_what_a_reference_model_is(moot: Any) -> None:
    ran = moot("model", "show", SAGE)
    assert ran.code == Exit.OK
    shown = dict(line.split(None, 1) for line in ran.out.splitlines())
    card = reference.card("sage")
    assert shown["digest"] == f"{card['sha256']}  as on its card"
    assert shown["architecture"] == "llama"
    assert shown["quantization"].startswith("Q8_0, ")
    assert "arithmetic 0." in shown["accuracy"]
    assert "score" in shown["can"]
    assert "cannot" not in shown


def test_show_as_json_agrees_with_the_file(moot: Any, model_file: Path) -> None:
    ran = moot("model", "show", str(model_file), "--json", "--context-length", "64", "--parallel", "4")
    report = json.loads(ran.out)
    assert report["digest"] == hashlib.sha256(model_file.read_bytes()).hexdigest()
    assert report["size_bytes"] == model_file.stat().st_size
    assert (report["context_length"], report["context_length_trained"], report["parallel"]) == (64, 256, 4)
    assert report["memory_bytes"] > report["size_bytes"]
    assert "grammar" in report["abilities"]
    assert report["lacks"] == {}
    assert "accuracy" not in report


def test_without_a_name_it_is_the_homes_model(moot: Any, model_file: Path, tmp_path: Path) -> None:
    assert moot("init", "--home", str(tmp_path / "ada"), "--model", str(model_file)).code == Exit.OK
    home = str(tmp_path / "ada")
    report = json.loads(moot("model", "show", "--home", home, "--json").out)
    assert report["file"] == str(model_file)
    assert "adapters" not in report

    adapter = write_adapter(tmp_path / "a.gguf")
    settings = tmp_path / "ada" / "settings.toml"
    changed = (
        settings.read_text()
        .replace("adapters = []", f'adapters = ["{adapter}"]')
        .replace("parallel = 32", "parallel = 3")
    )
    settings.write_text(changed)
    report = json.loads(moot("model", "show", "--home", home, "--json").out)
    assert [one["digest"] for one in report["adapters"]] == [hashlib.sha256(adapter.read_bytes()).hexdigest()]
    assert report["parallel"] == 3
    assert report["weights"] != report["digest"]
    assert "rank 4" in moot("model", "verify", "--home", home).out


def test_a_model_that_cannot_run_is_shown_nevertheless(moot: Any, tmp_path: Path) -> None:
    broken = write_model(tmp_path / "broken.gguf", chat_template="{{ nothing.at.all }}")
    ran = moot("model", "show", str(broken))
    assert ran.code == Exit.MODEL_INVALID
    assert "architecture   llama" in ran.out
    assert "chat template cannot be used" in ran.out
    assert "chat template cannot be used" in ran.err


@pytest.mark.parametrize("command", ["show", "verify", "bench"])
@pytest.mark.parametrize(
    ("model", "code", "said"),
    [
        ("reference:nobody", Exit.MODEL_MISSING, "there are abacus, almanac"),
        ("/no/such/file.gguf", Exit.MODEL_MISSING, "No such file"),
        ("hf:wrong", Exit.SETTINGS, "hf:OWNER/REPOSITORY/FILE.gguf"),
        ("http://127.0.0.1:9/v1#any", Exit.MODEL_SERVER, "127.0.0.1:9"),
        ("http://example.com/v1", Exit.MODEL_MISSING, "https://"),
    ],
)
def test_what_is_no_model(moot: Any, command: str, model: str, code: Exit, said: str) -> None:
    ran = moot("model", command, model)
    assert ran.code == code
    assert said in ran.err
    assert "Traceback" not in ran.err


def test_verify_passes_a_reference_model_and_knows_its_digest(moot: Any) -> None:
    ran = moot("model", "verify", SAGE, "--json")
    assert ran.code == Exit.OK
    steps = [json.loads(line) for line in ran.out.splitlines()]
    names = [step.get("step") for step in steps]
    assert names == ["header", "digest", "load", "tokenizer", "forward pass", "answer", None]
    assert "as on its card" in steps[1]["said"]
    assert steps[-1] == {"usable": True}


@pytest.mark.parametrize("vocabulary", ["bytes", "letters", "bpe"])
def test_verify_passes_sound_models(moot: Any, tmp_path: Path, vocabulary: Any) -> None:
    ran = moot("model", "verify", str(write_model(tmp_path / "m.gguf", vocabulary=vocabulary)))
    assert (ran.code, ran.err) == (Exit.OK, "")
    assert ran.out.endswith("is usable\n")
    assert ("does not keep" in ran.out) is (vocabulary == "letters")


def test_verify_passes_a_recurrent_model(moot: Any, tmp_path: Path) -> None:
    """Its one state cannot be cut: whatever is checked must not need that."""
    assert moot("model", "verify", str(write_recurrent_model(tmp_path / "m.gguf"))).code == Exit.OK


def truncated(data: bytes) -> bytes:
    return data[: len(data) // 2]


def no_numbers(data: bytes) -> bytes:
    """The last weights of the file as all ones, which are no numbers."""
    return data[:-256] + b"\xff" * 256


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (truncated, "cut off"),
        (no_numbers, "invalid data"),
        (lambda data: b"", "0 bytes"),
        (lambda data: b"PK\x03\x04" + data[4:], "not GGUF"),
        (lambda data: data.replace(b"llama", b"alpha", 1), "alpha"),
        (lambda data: data.replace(b"blk.1.attn_q.weight", b"blk.1.attn_x.weight"), "attn_q"),
    ],
    ids=["truncated", "not numbers", "empty", "another format", "unknown architecture", "a tensor missing"],
)
def test_verify_refuses_a_damaged_file(moot: Any, model_file: Path, tmp_path: Path, damage: Any, said: str) -> None:
    bad = tmp_path / "bad.gguf"
    bad.write_bytes(damage(model_file.read_bytes()))
    ran = moot("model", "verify", str(bad))
    assert ran.code == Exit.MODEL_INVALID
    assert said in ran.err
    assert "usable\n" not in ran.out
    assert "Traceback" not in ran.err


def test_verify_refuses_another_file_than_the_one_meant(moot: Any, model_file: Path) -> None:
    digest = hashlib.sha256(model_file.read_bytes()).hexdigest()
    assert moot("model", "verify", str(model_file), "--digest", digest.upper()).code == Exit.OK
    ran = moot("model", "verify", str(model_file), "--digest", "0" * 64, "--json")
    assert ran.code == Exit.MODEL_OTHER
    last = json.loads(ran.out.splitlines()[-1])
    assert (last["usable"], last["exit_code"]) == (False, int(Exit.MODEL_OTHER))
    assert digest in last["problem"]
    assert moot("model", "verify", str(model_file), "--digest", "12").code == Exit.USAGE


def test_verify_checks_adapters_too(moot: Any, model_file: Path, tmp_path: Path) -> None:
    fits = write_adapter(tmp_path / "fits.gguf")
    other = write_adapter(tmp_path / "other.gguf", sizes=adapter_sizes(Shape(width=32)))
    ran = moot("model", "verify", str(model_file), "--adapter", str(fits))
    assert ran.code == Exit.OK
    assert hashlib.sha256(fits.read_bytes()).hexdigest() in ran.out
    assert "rank 4" in ran.out
    ran = moot("model", "verify", str(model_file), "--adapter", str(fits), "--adapter", str(other))
    assert ran.code == Exit.ADAPTER
    assert "another model" in ran.err
    assert moot("model", "verify", str(model_file), "--adapter", str(tmp_path)).code == Exit.MODEL_MISSING


def test_verify_knows_the_adapters_of_the_package(moot: Any) -> None:
    ran = moot("model", "verify", "reference:base", "--adapter", "reference:abacus")
    assert (ran.code, ran.err) == (Exit.OK, "")
    assert hashlib.sha256(reference.adapter("abacus").read_bytes()).hexdigest() in ran.out
    ran = moot("model", "verify", "reference:base", "--adapter", "reference:elder")
    assert ran.code == Exit.MODEL_MISSING
    assert "elder has no adapter" in ran.err


async def test_a_model_behind_a_server(moot: Any) -> None:
    async with ToyServer().running() as server:
        place = f"{server.url}#toy"
        shown = await asyncio.to_thread(moot, "model", "show", place)
        assert shown.code == Exit.OK
        assert "sample" in shown.out
        assert "cannot        adapters: its server holds the model" in shown.out
        verified = await asyncio.to_thread(moot, "model", "verify", place)
        assert (verified.code, verified.out.endswith("is usable\n")) == (Exit.OK, True)
        assert (await asyncio.to_thread(moot, "model", "verify", place, "--digest", "0" * 64)).code == Exit.USAGE
        tried = await asyncio.to_thread(moot, "model", "try", place, "Which colour?", "--adapter", "any.gguf")
        assert tried.code == Exit.MODEL_UNABLE
        assert (await asyncio.to_thread(moot, "model", "try", place, "Which colour?")).out.strip()


@pytest.mark.parametrize("command", ["show", "verify", "bench", "try"])
def test_every_command_has_help(moot: Any, command: str) -> None:
    ran = moot("model", command, "--help")
    assert (ran.code, ran.err) == (Exit.OK, "")
    assert "..." not in moot("model", "--help").out.replace("[ARGS]...", "")

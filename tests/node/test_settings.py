"""Settings: every problem told at once, in words that say what to do; and a default file that explains itself."""

import re
import stat
import tomllib
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from node.errors import ConfigError, Exit
from node.membership.settings import MembershipSettings
from node.settings import LimitsSection, Settings, load, write_default
from node.transport.address import split_address
from node.transport.client import RATE_SENT


def settings_of(tmp_path: Path, text: str) -> Settings:
    file = tmp_path / "settings.toml"
    file.write_text(text, encoding="utf-8")
    return load(file)


def problems(tmp_path: Path, text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        settings_of(tmp_path, text)
    assert caught.value.source == str(tmp_path / "settings.toml")
    assert caught.value.exit_code is Exit.SETTINGS
    return caught.value.problems


def test_one_line_is_enough(tmp_path: Path) -> None:
    assert settings_of(tmp_path, "version = 1") == Settings(version=1)


def test_all_that_can_be_set(tmp_path: Path) -> None:
    settings = settings_of(
        tmp_path,
        """
        version = 1
        [node]
        name = "ada"
        listen = "[::1]:0"
        advertise = "ada.example:7400"
        log_level = "debug"
        [model]
        file = "reference:abacus"
        threads = 2
        temperature = 1
        tokens_max = 32
        context_length = 512
        timeout_ms = 5_000
        [membership]
        profile = "wan"
        seeds = ["a.example:1", "192.0.2.1:7400"]
        overrides = { relays = 1 }
        [voting]
        timer_base_ms = 100
        [limits]
        messages_per_s = 5
        """,
    )
    assert (settings.node.name, settings.node.advertise, settings.model.temperature) == ("ada", "ada.example:7400", 1.0)
    assert settings.membership.seeds == ("a.example:1", "192.0.2.1:7400")
    assert settings.membership.settings() == MembershipSettings.wan(relays=1)
    assert (settings.voting.timer_base_ms, settings.limits.messages_per_s) == (100, 5)


def test_a_peer_that_sends_all_it_may_stays_well_below_the_default_limits() -> None:
    """Otherwise members that do nothing wrong would refuse each other when there is much to say."""
    limits = LimitsSection()
    assert limits.messages_per_s >= 2 * RATE_SENT.envelopes_per_s
    assert limits.bytes_per_s >= 2 * RATE_SENT.bytes_per_s


def test_every_problem_at_once(tmp_path: Path) -> None:
    text = """
        version = 2
        nods = 3
        [node]
        lisen = "x"
        name = ""
        listen = "localhost"
        advertise = "a:0"
        threads = 3
        log_level = "loud"
        [modl]
        x = 1
        [model]
        file = "reference:sag"
        threads = "two"
        temperature = 9
        tokens_max = 1.5
        timeout_ms = 10
        [membership]
        seeds = ["a:1", "b", 3]
        revokers = ["ABC"]
        overrides = { relays = true }
        [voting]
        timer_base_ms = 50_000
        [limits]
        bytes_per_s = true
    """
    assert problems(tmp_path, text) == [
        "version = 2: must be 1",
        '[node] name = "": must be 1 to 64 printable characters, without spaces around them',
        '[node] listen = "localhost": must be host:port, for example 127.0.0.1:7400 or [::1]:7400',
        '[node] advertise = "a:0": the port must be 1 to 65535',
        '[node] log_level = "loud": must be "debug", "info", "warning" or "error"',
        "[node] lisen: unknown; did you mean listen?",
        "[node] threads: unknown; it belongs in [model]",
        '[model] file = "reference:sag": no model of the package has this name; there are'
        " abacus, almanac, elder, logician, sage, scribe, sorter, steward",
        '[model] threads = "two": must be a whole number, without quotes',
        "[model] temperature = 9: must be at most 5",
        "[model] tokens_max = 1.5: must be a whole number, without quotes",
        "[model] timeout_ms = 10: must be at least 100",
        '[membership] seeds.1 = "b": must be host:port, for example 127.0.0.1:7400 or [::1]:7400',
        '[membership] seeds.2 = 3: must be text, in "quotes"',
        '[membership] revokers.0 = "ABC": must be a public key: 64 hex digits in small letters',
        "[membership] overrides.relays = true: must be a whole number, without quotes",
        "[voting] timer_base_ms = 50000: must not exceed timer_cap_ms (30000); lower it",
        "[limits] bytes_per_s = true: must be a whole number, without quotes",
        "nods: unknown; did you mean node?",
        "modl: unknown; did you mean model?",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ["version: missing; write version = 1 at the top"]),
        (
            "version = 1\nzzz = 1",
            ["zzz: unknown; there are version, node, model, membership, voting, limits"],
        ),
        ("version = 1\nnode = 3", ["node = 3: must be a section of its own"]),
        (
            "version = 1\n[membership]\noverrides = { relayz = 3, probe = 1, probe_timeout_ms = 4 }",
            [
                "[membership] overrides.relayz: unknown; did you mean relays?",
                "[membership] overrides.probe: unknown; did you mean probe_timeout_ms?",
            ],
        ),
        (
            "version = 1\n[membership]\noverrides = { probe_timeout_ms = 3_000, relays = -3 }",
            [
                "[membership] relays = -3: must be at least 0",
                "[membership] probe_timeout_ms = 3000: must be below probe_interval_ms (1000), or relays get no time;"
                " lower it or probe less often",
            ],
        ),
        ("version = 1\n[model]\ntemperature = nan", ["[model] temperature = nan: must be a finite number"]),
        (
            "version = 1\n[membership]\nseeds = 'a:1'",
            ['[membership] seeds = "a:1": must be a list, such as ["host:port"]'],
        ),
    ],
)
def test_problem(tmp_path: Path, text: str, expected: list[str]) -> None:
    assert problems(tmp_path, text) == expected


def test_what_is_no_toml_is_told_with_its_line(tmp_path: Path) -> None:
    [problem] = problems(tmp_path, "version = 1\n[node]\nname = ada\n")
    assert re.fullmatch(r"not TOML: .*line 3.*", problem)


def test_a_wrong_value_is_shown_short_and_plain(tmp_path: Path) -> None:
    [problem] = problems(tmp_path, 'version = 1\n[node]\nname = "\\u001b' + "x" * 500 + '"')
    assert problem.isprintable()
    assert len(problem) < 200


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot be read: No such file or directory; moot init writes one"):
        load(tmp_path / "nowhere.toml")
    (tmp_path / "latin.toml").write_bytes(b"version = 1 # \xe9")
    with pytest.raises(ConfigError, match=r"not UTF-8 text \(byte 14\)"):
        load(tmp_path / "latin.toml")


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("models/mine.gguf", "{base}/models/mine.gguf"),
        ("/srv/mine.gguf", "/srv/mine.gguf"),
        ("reference:abacus", "reference:abacus"),
        ("http://127.0.0.1:8080/v1#toy:7b", "http://127.0.0.1:8080/v1#toy:7b"),
    ],
)
def test_a_relative_model_starts_at_the_file(tmp_path: Path, file: str, expected: str) -> None:
    settings = settings_of(tmp_path, f'version = 1\n[model]\nfile = "{file}"')
    assert settings.model.file == expected.format(base=tmp_path)


def leaves(model: type[BaseModel], at: str = "") -> dict[str, Any]:
    """Path and description of every field that is not a section."""
    found: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            found |= leaves(field.annotation, f"{name}.")
        else:
            found[f"{at}{name}"] = field
    return found


def test_the_default_file_is_the_defaults_and_shows_every_field(tmp_path: Path) -> None:
    """It is made from the fields' own documentation: nobody can add one without it appearing, explained."""
    file = tmp_path / "settings.toml"
    assert write_default(file) == load(file) == Settings(version=1)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    text = file.read_text()
    words = " ".join(line.removeprefix("# ") for line in text.splitlines() if line.startswith("# "))
    for path, field in leaves(Settings).items():
        name = path.rpartition(".")[2]
        assert field.description, path
        assert field.description in words, path
        assert re.search(rf"^(# )?{name} = |^\[\w+\.{name}\]$", text, re.MULTILINE), path
        if name.endswith(("_ms", "_per_s", "_max")):
            assert field.json_schema_extra["unit"] in words, path
    assert max(map(len, text.splitlines())) <= 110


def test_what_is_commented_out_works_when_it_is_not(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    write_default(file)
    text = re.sub(r"^# (\w+ = )", r"\1", file.read_text(), flags=re.MULTILINE)
    assert text != file.read_text()
    assert settings_of(tmp_path, text).node.advertise == "127.0.0.1:7410"


def test_given_values_are_written(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    given: dict[str, dict[str, Any]] = {
        "node": {"name": 'a "quoted" \\ name', "listen": "127.0.0.1:0"},
        "model": {"file": "mine.gguf", "temperature": 0},
        "membership": {"profile": "local", "seeds": ["a:1", "b:2"], "overrides": {"relays": 2}},
    }
    written = write_default(file, **given)
    assert written == load(file)
    assert written.model.file == str(tmp_path / "mine.gguf")
    data = tomllib.loads(file.read_text())
    assert {section: {key: data[section][key] for key in values} for section, values in given.items()} == given
    assert '# What people call this node; its identity is its key. (default: "node")' in file.read_text()


def test_nothing_is_written_over_and_nothing_wrong_is_written(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    with pytest.raises(ConfigError, match="did you mean name"):
        write_default(file, node={"nam": "x"})
    assert not file.exists()
    file.write_text("mine")
    with pytest.raises(ConfigError, match="not overwritten"):
        write_default(file)
    assert file.read_text() == "mine"
    with pytest.raises(ConfigError, match="cannot be written: No such file"):
        write_default(tmp_path / "nowhere" / "settings.toml")


def test_settings_do_not_change() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings(version=1).node.name = "other"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("127.0.0.1:7400", ("127.0.0.1", 7400)),
        ("ada.example:0", ("ada.example", 0)),
        ("[::1]:65535", ("::1", 65535)),
    ],
)
def test_addresses(text: str, parts: tuple[str, int]) -> None:
    assert split_address(text) == parts


@pytest.mark.parametrize(
    "text",
    ["", ":", ":1", "a", "a:", "a:x", "a:-1", "a:65536", "a:\u0661", "::1:7400", "[]:1", "a b:1", "a:1\n", "a:000001"],
)
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(ValueError, match="must be"):
        split_address(text)


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("http://192.0.2.1:8080/v1#toy", "use https://"),
        ("https://me:key@models.example/v1#toy", "MOOT_MODEL_API_KEY"),
        ("hf:ada/tiny/tiny.gguf", "moot init --model"),
    ],
)
def test_models_that_cannot_be_named_so(tmp_path: Path, file: str, said: str) -> None:
    (problem,) = problems(tmp_path, f'version = 1\n[model]\nfile = "{file}"')
    assert said in problem

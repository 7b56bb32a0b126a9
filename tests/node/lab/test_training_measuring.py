"""What cards say is counted rightly: accuracy, calibration, errors in common; and said legibly."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from node.lab.skills import LEVELS, SKILLS, held_out
from node.lab.training import card, measuring, speed
from node.lab.training.measuring import PER_LEVEL, Count, alike, calibration_error, measure, right, side_by_side
from node.lab.training.plan import BASE, COURSES, SPECIALISTS, STEWARD
from node.lab.training.rendering import rendered
from node.lab.training.tokens import prompt

MODEL = Path("steward.gguf")
OTHER = Path("other.gguf")
SPEED = {"questions": 192, "at_once": 16, "seconds": 1.5}


@pytest.mark.parametrize(
    ("reply", "answer", "expected"),
    [
        pytest.param("5", "5", True, id="plain"),
        pytest.param("7+5=12 => 12", "12", True, id="worked"),
        pytest.param("ADDIS  ababa", "Addis Ababa", True, id="case and spaces"),
        pytest.param("12 => 5", "12", False, id="only what follows the arrow"),
        pytest.param("", "5", False, id="nothing"),
        pytest.param("55", "5", False, id="another"),
    ],
)
def test_a_reply_is_right_when_it_comes_to_the_answer(reply: str, answer: str, expected: bool) -> None:
    """Neither its steps nor its spelling of case and spaces decide."""
    assert right(reply, answer) is expected


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        pytest.param({1: Count(5, 1), 5: Count(10, 10)}, 0.0, id="exactly as sure as right"),
        pytest.param({5: Count(10, 5)}, 0.5, id="sure and half wrong"),
        pytest.param({1: Count(10, 4), 3: Count(30, 24), 5: Count(10, 8)}, 0.2, id="too sure and not sure enough"),
        pytest.param({1: Count(0, 0), 5: Count(4, 3)}, 0.25, id="an empty bin"),
    ],
)
def test_the_calibration_error_is_the_mean_distance_from_what_agreement_promises(
    counts: dict[int, Count], expected: float
) -> None:
    """Bins count by their questions, and what is too sure does not make up for what is not sure enough."""
    assert calibration_error(counts) == pytest.approx(expected)


def test_every_model_is_asked_the_same_held_out_questions() -> None:
    """Different questions would make a difference between models that is none."""
    for skill in SKILLS:
        for level in LEVELS:
            tasks = measuring.questions(skill, level)
            assert len(tasks) == PER_LEVEL
            assert all(held_out(task) and task.level == level and task.skill == skill for task in tasks)


@pytest.fixture
def _known(monkeypatch: pytest.MonkeyPatch) -> None:
    """MODEL knows everything but level 3, and of 5 samples spoils the last two; OTHER knows only level 1."""
    tasks = {prompt(task): task for skill in SKILLS for level in LEVELS for task in measuring.questions(skill, level)}
    shared = {one.prompt: one.reply for way in measuring.SHARED_WAYS for one in measuring.examples(way)}

    def reply(path: Path, asked: str) -> str:
        if asked in shared:
            return shared[asked]
        task = tasks[asked]
        knows = task.level < (3 if path == MODEL else 2)
        return f"so => {task.answer}" if knows else "so => perhaps"

    def answers(
        path: Path, prompts: Sequence[str], samples: int = 1, temperature: float = 0.0, adapters: Sequence[Path] = ()
    ) -> list[list[str]]:
        assert (samples > 1) == (temperature > 0)
        path = OTHER if adapters else Path(path.name)
        return [[reply(path, asked) if k < 3 else f"no idea {k}" for k in range(samples)] for asked in prompts]

    monkeypatch.setattr(measuring, "answers", answers)


@pytest.mark.usefixtures("_known")
def test_measuring_counts_skills_levels_ways_and_samples() -> None:
    """Each count is of its own questions: a slip by one row would shift levels into each other."""
    found = measure(MODEL)
    for skill in SKILLS:
        levels = [found["accuracy"][skill]["levels"][str(level)] for level in LEVELS]
        assert [count["correct"] for count in levels] == [PER_LEVEL, PER_LEVEL, 0]
        assert found["accuracy"][skill]["questions"] == 3 * PER_LEVEL
        assert found["accuracy"][skill]["correct"] == 2 * PER_LEVEL
    assert all(count["correct"] == count["questions"] == measuring.PER_WAY for count in found["ways"].values())
    agreed = found["calibration"]["agreement"]
    asked = len(SKILLS) * len(LEVELS) * measuring.CALIBRATION_PER_LEVEL
    assert agreed["3"] == {"questions": asked, "correct": asked * 2 // 3}
    assert sum(count["questions"] for count in agreed.values()) == asked
    assert found["calibration"]["error"] == pytest.approx(2 / 3 - 3 / 5, abs=1e-4)


@pytest.mark.usefixtures("_known")
def test_errors_in_common_are_counted_where_both_err() -> None:
    """MODEL errs on level 3, OTHER on levels 2 and 3; there both say "perhaps"."""
    given = {"model": measure(MODEL)["answers"], "other": measure(OTHER)["answers"]}
    both = len(SKILLS) * PER_LEVEL
    assert alike(given)["model"]["other"] == alike(given)["other"]["model"] == {"both_err": both, "alike": both}
    given["other"] = ["never" if answer == "perhaps" else answer for answer in given["other"]]
    assert alike(given)["model"]["other"] == {"both_err": both, "alike": 0}


def test_models_take_turns_and_the_fastest_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """One after the other, a machine that slows down would make the last model the slowest."""
    turns: list[tuple[str, int]] = []
    seconds = iter([2.0, 1.0, 1.5, 4.0, 3.0, 0.5])
    now = 0.0

    def answers(path: Path, prompts: Sequence[str]) -> list[list[str]]:
        nonlocal now
        turns.append((path.stem, len(prompts)))
        now += next(seconds)
        return [["?"] for _ in prompts]

    monkeypatch.setattr(speed, "answers", answers)
    monkeypatch.setattr(speed, "perf_counter", lambda: now)
    found = speed.speeds({"steward": MODEL, "other": OTHER})
    asked = len(SKILLS) * len(LEVELS) * speed.PER_LEVEL
    assert turns == [("steward", asked), ("other", asked)] * 3
    assert {name: (one["questions"], one["seconds"]) for name, one in found.items()} == {
        "steward": (asked, 1.5),
        "other": (asked, 0.5),
    }


@pytest.mark.usefixtures("_known")
def test_a_merged_file_is_compared_with_the_adapter_on_its_base() -> None:
    """The adapter here makes OTHER of it, which knows level 1 only; both say "perhaps" on level 3."""
    assert side_by_side(MODEL, MODEL, Path("lora.gguf"), ["units"]) == {
        "questions": 3 * PER_LEVEL,
        "merged_correct": 2 * PER_LEVEL,
        "adapted_correct": PER_LEVEL,
        "same_reply": 2 * PER_LEVEL,
    }


@pytest.mark.usefixtures("_known")
def test_the_card_for_people_shows_what_the_card_for_programs_holds() -> None:
    """Every model and every table is there, strong skills are bold, and nothing is left to fill in."""
    file: dict[str, Any] = {"sha256": "ab" * 32, "bytes": 1_409_536}
    errors = {"steward": {"both_err": 40, "alike": 10}, "scribe": {"both_err": 40, "alike": 10}}
    common = {
        **file,
        "about": "a test",
        "parameters": 1_312_768,
        "mixture": dict(STEWARD.weights),
        "facts_shown": 100,
        "training": {"rounds": 3, "steps": 1000, "tokens": 2_000_000, "rows_per_round": 24_000, "seed": 1},
        "errs_with": errors,
        "speed": SPEED,
        **measure(MODEL),
    }
    adapter = {**file, "rank": 32, "questions": 300, "merged_correct": 200, "adapted_correct": 199, "same_reply": 290}
    cards = {
        "steward": {**common, "strong": [], "start": ""},
        "scribe": {
            **common,
            "speed": {**SPEED, "seconds": 3.0},
            "strong": ["strings"],
            "start": "base",
            "adapter": adapter,
        },
    }
    text = rendered(cards)
    assert "{" not in text
    rows = [line for line in text.splitlines() if line.startswith("| scribe ")]
    assert len(rows) == 6
    assert "| scribe | 1,312,768 | 64 | 0.50 |" in rows
    assert "**0.67** (1.00 1.00 0.00)" in rows[0]
    assert rows[0].count("**") == 2
    assert "| scribe | 300 | 0.667 | 0.663 | 0.967 |" in rows
    assert "| scribe | 0.25 |  |" in rows
    assert "started from chance; 3 rounds of 24,000 rows, 2,000,000 tokens in 1,000 steps, seed 1" in text
    assert "its own part of the 100 facts" in text


@pytest.mark.usefixtures("_known")
def test_cards_are_of_the_files_and_measured_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that was stopped does not measure again what it has; new weights, a new base or adapter are measured."""
    for course in COURSES:
        (tmp_path / f"{course.name}.gguf").write_bytes(course.name.encode())
        if course.rank:
            (tmp_path / f"{course.name}.lora.gguf").write_bytes(b"lora")
    found = {course.name: card.measured(course, tmp_path, tmp_path) | {"speed": SPEED} for course in COURSES}
    trained = card.Trained(parameters=1000, rounds=1, steps=10, tokens=40_000)
    card.write_cards({course.name: trained for course in COURSES}, found, tmp_path)
    cards = json.loads((tmp_path / "cards.json").read_text())
    assert cards["steward"]["sha256"] == hashlib.sha256(b"steward").hexdigest()
    assert cards["steward"]["accuracy"]["units"]["correct"] == 2 * PER_LEVEL
    assert "adapter" not in cards["steward"]
    sage = cards["sage"]
    assert (sage["adapter"]["bytes"], sage["adapter"]["rank"], sage["strong"]) == (4, SPECIALISTS[0].rank, ["facts"])
    assert set(sage["errs_with"]) == {course.name for course in COURSES} - {"sage"}
    assert (tmp_path / "MODELCARD.md").read_text() == rendered({course.name: cards[course.name] for course in COURSES})

    measured_again: list[str] = []
    again = measure(MODEL)

    def spy(path: Path) -> dict[str, Any]:
        measured_again.append(path.stem)
        return dict(again)

    monkeypatch.setattr(card, "measure", spy)
    (tmp_path / "sage.lora.gguf").write_bytes(b"other")
    (tmp_path / "elder.gguf").write_bytes(b"other")
    for course in COURSES:
        card.measured(course, tmp_path, tmp_path)
    assert measured_again == ["elder", "sage"]
    (tmp_path / "base.gguf").write_bytes(b"other")
    for course in COURSES:
        card.measured(course, tmp_path, tmp_path)
    assert measured_again[2:] == [BASE.name, *(course.name for course in SPECIALISTS)]

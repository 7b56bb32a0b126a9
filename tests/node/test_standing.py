"""The file that says how a moot stands in each class: whole or refused with words."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.recognizer import learned
from node.standing import ClassStanding, Seat, Standing, StandingInvalid

ADA, BEA = bytes([1]) * 32, bytes([2]) * 32
MOOT = bytes([7]) * 32
TEXTS = {
    "sums": [f"What is {a} plus {b}?" for a in range(9) for b in range(9)],
    "days": ["Which day follows Monday?"] * 9,
}


def made(**changed: Any) -> Standing:
    """Ada alone is better in sums, nobody in days."""
    whole: dict[str, Any] = {
        "measured_ms": 5,
        "moot": MOOT,
        "tally": "points",
        "members": {ADA: Seat("ada", bytes([9]) * 32), BEA: Seat("bea", None)},
        "classes": {
            "sums": ClassStanding(60, 47, {ADA: 52, BEA: 10}, ADA, True, (0.08, 0.01, 0.15)),
            "days": ClassStanding(60, 50, {ADA: 20, BEA: 51}, BEA, False, (0.02, -0.05, 0.09)),
        },
        "recognizer": learned(TEXTS),
    }
    return Standing(**(whole | changed))


def test_it_is_read_as_it_was_written() -> None:
    assert Standing.read(made().write()) == made()


def _set(path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(document: dict[str, Any]) -> None:
        *way, last = path.split("/")
        for part in way:
            document = document[part]
        document[last] = value

    return change


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        pytest.param(_set("format", "moot-standing/2"), "no moot-standing/1 file", id="another version"),
        pytest.param(_set("extra", 1), "its parts must be", id="an unknown part"),
        pytest.param(_set("measured_ms", "now"), "measured_ms", id="time"),
        pytest.param(_set("moot", "77"), "32 bytes", id="a short moot"),
        pytest.param(_set("moot", 7), "fromhex", id="a moot of a wrong type"),
        pytest.param(_set("members", []), "members", id="members"),
        pytest.param(
            _set(f"members/{ADA.hex()}", {"name": "a\nb", "model": None}), "plain text", id="a name of two lines"
        ),
        pytest.param(_set("classes/sums", 1), "parts are not those", id="class"),
        pytest.param(_set("classes/sums/questions", 0), "positive", id="no questions"),
        pytest.param(_set("classes/sums/together", 61), "out of range", id="more right than asked"),
        pytest.param(_set("classes/sums/together", True), "out of range", id="true for a number"),
        pytest.param(_set("classes/sums/best", MOOT.hex()), "not measured", id="an unknown best"),
        pytest.param(_set("classes/sums/better", 1), "true or false", id="better"),
        pytest.param(_set("classes/days/better", True), "may be 0", id="better without a measured difference"),
        pytest.param(_set("classes/sums/difference", [0.1, 0.2]), "three numbers", id="difference"),
        pytest.param(_set("classes/sums/difference", [0.1, 0.1, float("nan")]), "three numbers", id="not a number"),
        pytest.param(_set("recognizer/rivers", {"usual": 0, "counts": {"a": 1}}), "not measured", id="unknown class"),
        pytest.param(_set("recognizer/sums/usual", None), "usual must be", id="a broken recognizer"),
    ],
)
def test_what_is_wrong_is_named(change: Callable[[dict[str, Any]], None], problem: str) -> None:
    document = json.loads(made().write())
    change(document)
    with pytest.raises(StandingInvalid, match=problem):
        Standing.read(json.dumps(document).encode())


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"\xff", b"[" * 100_000, b"1", b'{"format": "moot-standing/1"}'])
def test_junk_is_refused(data: bytes) -> None:
    with pytest.raises(StandingInvalid):
        Standing.read(data)


WHOLE = made().write()


@given(st.integers(0, len(WHOLE) - 1), st.integers(0, 255))
def test_a_changed_byte_is_refused_or_read_and_nothing_else(place: int, value: int) -> None:
    with_one = bytearray(WHOLE)
    with_one[place] = value
    try:
        found = Standing.read(bytes(with_one))
    except StandingInvalid:
        return
    assert Standing.read(found.write()) == found


@given(st.integers(0, len(WHOLE) - 3))
def test_a_torn_file_is_refused(length: int) -> None:
    with pytest.raises(StandingInvalid):
        Standing.read(WHOLE[:length])

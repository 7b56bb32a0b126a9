"""How the demo reads: a scripted performance, line by line as in a file, and within the width of a terminal."""

import io
from typing import Any

import pytest
from rich.console import Console

from node.cli.demo_view import View
from node.lab.demo_scenes import (
    Asked,
    CaughtUp,
    Checked,
    Ended,
    Exported,
    Finished,
    Founded,
    Heard,
    Killed,
    Met,
    Scene,
    Score,
    Seat,
    SeenDead,
    Waits,
)

ID = "3f9a1c20bb" + 27 * "07"
COST: Any = {"forward_passes": 1304, "prompt_tokens": 900, "generated_tokens": 40, "model_ms": 84.4}


@pytest.fixture
def performance(decision: Any) -> list[Scene]:
    """Three members: ada and bea answer, cleo is killed and stays silent."""
    seats = tuple(
        Seat(name, name, ("arithmetic",), 1_312_768, f"127.0.0.1:740{number}", f"/homes/{name}")
        for number, name in enumerate(("ada", "bea", "cleo"))
    )

    def heard(event: str, name: str, counts: list[tuple[str, int]]) -> Heard:
        answer = counts[0][0] if counts else None
        return Heard({"event": event, "id": ID, "member": name, "answer": answer, "counts": counts, "samples": 5})

    scores = (Score("ada", 1, 2), Score("cleo", 0, 0))
    return [
        Founded("/homes", "ab" * 32, "demo", 3, 2, seats),
        Waits("the nodes start"),
        Met((1, 2, 3), 1.84),
        Asked(1, 10, "arithmetic", "What is 17 plus 25?", (), "cleo", "42"),
        heard("proposed", "bea", [("42", 4), ("41", 1)]),
        heard("proposed", "ada", [("42", 5)]),
        heard("preferred", "bea", [("42", 4), ("41", 1)]),
        Killed("cleo", 4711, ID, "ada", "open", 2, 21.3),
        heard("preferred", "ada", [("42", 5)]),
        Ended(1, "42", decision(), "ada"),
        Asked(2, 10, "facts", "Which one?", ("Paris", "Rome"), "ada", "Rome"),
        Ended(2, "Rome", decision("no_quorum"), "ada"),
        SeenDead("cleo", ("ada", "bea"), 3.44),
        CaughtUp("cleo", 4712, 2, 8, 1, ID, "42", 1.5),
        Exported(1, ID, "cleo", "/homes/certificate.json", 7112),
        Checked("moot verify certificate.json", "", 0, "42\n", "verified  3 of 3\n"),
        Checked("moot verify forged.json", "one byte of the answer", 16, "", "refused: it lies\n"),
        Finished(1, 2, scores, COST, (80.0, 90.0), (20.0, 40.0), 9.6, "/homes", ("/homes/ada",)),
    ]


PLAIN = """\
Moot  3 nodes on this machine, each a process with its own key, store and model

  ada      127.0.0.1:7400   1.3 million parameters, made for arithmetic
  bea      127.0.0.1:7401   1.3 million parameters, made for arithmetic
  cleo     127.0.0.1:7402   1.3 million parameters, made for arithmetic

  moot abababababab: 3 of 3 must vote, 2 must have answered
  all 3 run and have found each other by gossip, after 1.8 s

  1/10  arithmetic, put to cleo
       What is 17 plus 25?
       bea      42          4 of 5  prefers 42 ×4  41 ×1
       kill -9 4711  cleo is gone 21 ms after it was asked, 2 of 3 had answered; ada goes on
       ada      42          5 of 5  prefers 42 ×5
       cleo     silent
    =  42  right   42 ×9  41 ×1
       91 ms of model, 23 ms of protocol, 12 forward passes

  2/10  facts, put to ada
       Which one?  (Paris / Rome)
       ada      42          5 of 5  prefers 42 ×5
       bea      42          4 of 5  prefers 42 ×4  41 ×1
       cleo     silent
    =  no quorum: 1 of 3 members answered by the deadline
       12 forward passes

  cleo is held dead by ada, bea, 3.4 s after it was killed

  cleo runs again (process 4712) and caught up 2 slots in 1.5 s
  its ledger is 8 slots high, as the others'; it too now has the answer to question 1: 42

  certificate of question 1, exported at cleo (7,112 bytes)
  $ moot verify certificate.json
    42
    verified  3 of 3
    exit code 0
  one byte of the answer changed:
  $ moot verify forged.json
    refused: it lies
    exit code 16

together  1 of 2 right
alone     ada 1 of 2, cleo 0 of 0
cost      1,304 forward passes, 900 tokens in, 40 out, 84 ms of model time
median    85 ms of model and 30 ms of protocol per question
took      10 s
"""


def test_a_file_gets_plain_lines(performance: list[Scene], capsys: pytest.CaptureFixture[str]) -> None:
    with View() as view:
        for scene in performance:
            view.show(scene)
    assert capsys.readouterr().out == PLAIN


def test_a_terminal_of_100_columns_is_enough(performance: list[Scene], monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.StringIO()
    monkeypatch.setattr("node.cli.demo_view.is_plain", lambda: False)
    monkeypatch.setattr(
        "node.cli.demo_view.console",
        lambda: Console(file=screen, force_terminal=True, width=100, color_system=None, legacy_windows=False),
    )
    with View() as view:
        for scene in performance:
            view.show(scene)
    text = screen.getvalue()
    assert "●●●●○" in text
    assert "bea      ..." in text, "a member that has not answered yet is waited for"
    assert all(len(line) <= 120 for line in text.splitlines()), "nothing but cursor movements goes beyond"
    for line in ("    =  42  right", "cleo is held dead by ada, bea", "exit code 16", "together  1 of 2 right"):
        assert line in text

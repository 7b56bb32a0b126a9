"""`moot ask` and `moot follow`: the answer alone on stdout, talk on stderr, one exit code per outcome."""

import json
import threading
import time
from typing import Any

import pytest

from node.errors import Exit, QuestionRefused

ID = "3f9a1c20bb" + 27 * "07"


def test_the_answer_alone_goes_to_stdout(moot: Any, running: Any) -> None:
    ran = moot("ask", "What is 17 plus 25?", "--kind", "number")
    assert (ran.code, ran.out) == (Exit.OK, "42\n")
    assert running.api.asked == [("What is 17 plus 25?", "number", [], None, None, None, False)]


def test_what_happens_is_told_while_it_happens(moot: Any, running: Any) -> None:
    lines = moot("ask", "What is 17 plus 25?").err.splitlines()
    assert lines == [
        "question 3f9a1c20bb07",
        "  ada   proposes  42  5 of 5",
        "  bea   proposes  42  4 of 5",
        "  ada   prefers   42 ×5",
        "  bea   prefers   42 ×4  41 ×1",
        "  the members vote",
        "decided 42 ×9  41 ×1",
        "2 of 3 members answered; slot 7, signed by ada, bea, cleo",
        "91 ms to answer, 23 ms to vote and prove",
        "12 forward passes, 1,300 tokens in, 40 out, 84 ms of model time",
        "certificate: moot decisions export 3f9a1c20bb07",
    ]


def test_options_and_rules_reach_the_node(moot: Any, running: Any) -> None:
    moot("ask", "Tea?", "-o", "yes", "--option", "no", "--deadline-ms", "500", "--tally", "plurality")
    assert running.api.asked == [("Tea?", None, ["yes", "no"], 500, "plurality", None, False)]


def test_the_class_and_the_wish_to_hear_all_reach_the_node(moot: Any, running: Any) -> None:
    moot("ask", "Tea?", "--class", "drinks")
    moot("ask", "Tea?", "--together")
    assert [asked[5:] for asked in running.api.asked] == [("drinks", False), (None, True)]


WHY = "sums: ada alone is right more often than all together (.90 against .70 of 60); only its answer counts"
ALONE = [
    {"event": "asked", "id": ID},
    {"event": "alone", "id": ID, "member": "ada", "note": WHY},
    {"event": "preferred", "id": ID, "member": "bea", "counts": []},
    {"event": "proposed", "id": ID, "member": "ada", "answer": "42", "counts": [("42", 5)], "samples": 5},
    {"event": "preferred", "id": ID, "member": "ada", "counts": [("42", 5)]},
]


def test_that_one_member_alone_is_asked_is_said_in_one_line(moot: Any, running: Any) -> None:
    running.api.events = list(ALONE)
    lines = moot("ask", "What is 17 plus 25?").err.splitlines()
    assert lines[:4] == [
        "question 3f9a1c20bb07",
        f"{WHY}. --together asks all.",
        "  ada   proposes  42  5 of 5",
        "  ada   prefers   42 ×5",
    ], "that the others abstain goes without saying"


def test_that_all_are_asked_after_one_is_said(moot: Any, running: Any) -> None:
    again = "77" * 32
    running.api.events = [
        *ALONE[:3],
        {"event": "together", "id": again, "member": "ada", "note": "ada gave no answer, so all are asked"},
        {"event": "asked", "id": again},
        {"event": "preferred", "id": again, "member": "bea", "counts": [("42", 5)]},
    ]
    said = moot("ask", "What is 17 plus 25?").err
    assert "\nada gave no answer, so all are asked\nquestion 777777777777\n  bea   prefers   42 ×5\n" in said


def test_that_a_measurement_cannot_be_used_is_said(moot: Any, running: Any) -> None:
    running.api.events[0] = {"event": "asked", "id": ID, "note": "standing.json cannot be used (torn)"}
    assert "question 3f9a1c20bb07\nstanding.json cannot be used (torn)\n" in moot("ask", "What is 17 plus 25?").err


def test_json_is_the_decision_and_nothing_else(moot: Any, running: Any) -> None:
    ran = moot("ask", "What is 17 plus 25?", "--json")
    assert json.loads(ran.out) == json.loads(json.dumps(running.api.end))
    assert ran.err == ""


def test_events_are_lines_of_json(moot: Any, running: Any) -> None:
    ran = moot("ask", "What is 17 plus 25?", "--events")
    events = [json.loads(line) for line in ran.out.splitlines()]
    assert [event["event"] for event in events] == [
        "asked", "proposed", "proposed", "preferred", "preferred", "ready", "voting", "decided",
    ]  # fmt: skip
    assert events[-1]["decision"]["answer"] == "42"
    assert ran.err == ""


def test_no_quorum_is_an_end_without_an_answer(moot: Any, running: Any, decision: Any) -> None:
    running.api.end = decision("no_quorum")
    ran = moot("ask", "What is 17 plus 25?")
    assert (ran.code, ran.out) == (Exit.NO_QUORUM, "")
    assert "no quorum: 1 of 3 members answered by the deadline" in ran.err
    assert "certificate" not in ran.err


def test_a_tie_is_reported_as_a_tie(moot: Any, running: Any, decision: Any) -> None:
    running.api.end = decision(scores=[("41", 5), ("42", 5)], answer="41", tied=["41", "42"])
    assert "decided 41 ×5  42 ×5; tie of 41 and 42 broken by digest" in moot("ask", "What is 17 plus 25?").err


def test_an_abstention_is_shown(moot: Any, running: Any, script: Any) -> None:
    script.append({"event": "proposed", "id": ID, "member": "cleo", "answer": None, "counts": [], "samples": 0})
    script.append({"event": "preferred", "id": ID, "member": "cleo", "counts": []})
    said = moot("ask", "What is 17 plus 25?").err
    assert "  cleo  abstains\n" in said
    assert "  cleo  prefers   nothing\n" in said


def test_the_wait_can_be_bounded(moot: Any, running: Any) -> None:
    running.api.stays_open = True
    ran = moot("ask", "What is 17 plus 25?", "--wait-s", "0.2")
    assert (ran.code, ran.out) == (Exit.STILL_OPEN, "")
    assert "still open: 2 of 3 members reachable, 3 must vote; follow it: moot follow 3f9a1c20bb07" in ran.err


def test_long_silence_is_explained_and_the_wait_goes_on(
    moot: Any, running: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("node.cli.ask.PATIENCE_S", 0.1)
    running.api.stays_open = True
    running.api.ends_when_followed = True
    ran = moot("ask", "What is 17 plus 25?", "--deadline-ms", "100")
    assert (ran.code, ran.out) == (Exit.OK, "42\n")
    assert ran.err.count("still open: 2 of 3") == 1
    assert ran.err.count("ada   proposes") == 1, "what was shown is not shown again"


def test_a_node_that_ends_meanwhile(moot: Any, running: Any) -> None:
    """The question outlives the node that it was put to, so the person is told how to go on."""
    running.api.stays_open = True

    def stop_once_asked() -> None:
        until = time.monotonic() + 10
        while running.api.followers == 0 and time.monotonic() < until:
            time.sleep(0.005)
        running.stop_server()

    stopping = threading.Thread(target=stop_once_asked)
    stopping.start()
    ran = moot("ask", "What is 17 plus 25?")
    stopping.join()
    assert (ran.code, ran.out) == (Exit.NODE_DOWN, "")
    assert "moot follow 3f9a1c20bb07 --home OTHER" in ran.err


def test_follow_takes_up_a_question_that_was_asked_elsewhere(moot: Any, running: Any) -> None:
    ran = moot("follow", "3f9a")
    assert (ran.code, ran.out) == (Exit.OK, "42\n")
    assert running.api.asked == []


def test_follow_of_an_unknown_question_is_refused(moot: Any, running: Any) -> None:
    ran = moot("follow", "beef")
    assert (ran.code, ran.out) == (Exit.NOT_FOUND, "")
    assert ran.err == "moot: no question begins with beef; see moot decisions list\n"


def test_a_question_that_the_node_refuses(moot: Any, running: Any) -> None:
    running.api.refusal = QuestionRefused("the question is empty; say what is asked")
    ran = moot("ask", " ")
    assert (ran.code, ran.out) == (Exit.QUESTION_REFUSED, "")
    assert ran.err == "moot: the question is empty; say what is asked\n"


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param([], id="no question"),
        pytest.param(["Why?", "--kind", "essay"], id="unknown kind"),
        pytest.param(["Why?", "--deadline-ms", "0"], id="no time to answer"),
        pytest.param(["Why?", "--deadline-ms", "soon"], id="not a number"),
        pytest.param(["What", "is", "it?"], id="not quoted"),
    ],
)
def test_usage(moot: Any, running: Any, arguments: list[str]) -> None:
    ran = moot("ask", *arguments)
    assert (ran.code, ran.out) == (Exit.USAGE, "")
    assert running.api.asked == []


def test_no_node_is_running(moot: Any, home: Any) -> None:
    ran = moot("ask", "Why?")
    assert (ran.code, ran.out) == (Exit.NODE_DOWN, "")
    assert ran.err == f"moot: no node is running at {home}; start it: moot up --home {home}\n"


def test_no_home(moot: Any, tmp_path: Any) -> None:
    ran = moot("ask", "Why?", "--home", str(tmp_path / "nowhere"))
    assert (ran.code, ran.out) == (Exit.NO_HOME, "")
    assert "moot init --home" in ran.err

"""`moot members`, `status`, `decisions`: tables for people, JSON for programs, both of the same reports."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from node.errors import Exit

ROOT = Path(__file__).parents[3]
ID = "3f9a1c20bb" + 27 * "07"


def as_json(value: Any) -> Any:
    return json.loads(json.dumps(value))


def test_members_shows_the_dead_too(moot: Any, running: Any) -> None:
    ran = moot("members")
    lines = [line.split() for line in ran.out.splitlines()]
    assert ran.code == Exit.OK
    assert lines[0] == "member organization status address round trip heard height id".split()
    assert lines[1] == ["ada", "home", "alive", "127.0.0.1:7400", "this", "node", "-", "8", b"ada".hex()]
    assert lines[2] == ["bea", "home", "alive", "127.0.0.1:7400", "1", "ms", "140", "ms", "ago", "8", b"bea".hex()]
    assert lines[3] == ["cleo", "home", "dead", "127.0.0.1:7400", "-", "9000", "ms", "ago", "-", b"cleo".hex()]
    assert ran.err == "2 of 3 members alive\n"


def test_who_contradicted_itself_is_named(moot: Any, running: Any, monkeypatch: Any) -> None:
    reports = [
        {**report, "contradicted": [3, 5] if report["name"] == "bea" else []} for report in running.api.members()
    ]
    status = {**running.api.status(), "contradicted": {"bea": [3, 5], "gone": [1]}}
    monkeypatch.setattr(running.api, "members", lambda: reports)
    monkeypatch.setattr(running.api, "status", lambda: status)
    assert "bea contradicted itself in slot 3, 5\n" in moot("members").err
    said = moot("status").out
    assert "bea contradicted itself in slot 3, 5\n" in said
    assert "gone contradicted itself in slot 1\n" in said


def test_members_json_is_one_member_a_line(moot: Any, running: Any) -> None:
    ran = moot("members", "--json")
    assert [json.loads(line) for line in ran.out.splitlines()] == as_json(running.api.members())
    assert ran.err == ""


def test_status(moot: Any, running: Any) -> None:
    lines = dict(line.split(None, 1) for line in moot("status").out.splitlines())
    assert lines == {
        "node": f"ada  {b'ada'.hex()}",
        "address": "127.0.0.1:7400  (loopback only: mutual TLS comes later)",
        "moot": "kitchen  abababababab",
        "quorum": "3 of 3 members must vote",
        "model": "ada, up, 0.8 million parameters, cdcdcdcdcdcd",
        "ledger": "8 slots, 1 open question",
        "alive": "2 of 3 members",
        "up": "for    1 min 1 s",
    }


def test_status_json(moot: Any, running: Any) -> None:
    assert json.loads(moot("status", "--json").out) == as_json(running.api.status())


def test_decisions_list(moot: Any, running: Any) -> None:
    lines = moot("decisions", "list").out.splitlines()
    assert [line.split()[0] for line in lines] == ["id", "3f9a1c20bb07", "3f9a1c20bb07"]
    assert lines[1].endswith("-          -  Still open?")
    assert lines[2].endswith("decided  42         7  What is 17 plus 25?")


def test_decisions_list_is_bounded(moot: Any, running: Any) -> None:
    assert len(moot("decisions", "list", "-n", "1", "--json").out.splitlines()) == 1
    assert moot("decisions", "list", "-n", "0").code == Exit.USAGE


def test_decisions_show_tells_who_answered_what(moot: Any, running: Any) -> None:
    ran = moot("decisions", "show", "3f9a")
    lines = ran.out.splitlines()
    assert lines[0] == "What is 17 plus 25?"
    assert lines[1] == f"{ID}  number; asked by ada; tally points"
    assert lines[2] == "answer 42"
    assert lines[4].split() == ["ada", "42", "5", "of", "5", "42", "×5", "12"]
    assert lines[5].split() == ["bea", "42", "4", "of", "5", "42", "×4", "41", "×1", "12"]
    assert lines[6].split() == ["cleo", "silent", "-", "-", "12"]


def test_decisions_show_json(moot: Any, running: Any) -> None:
    assert json.loads(moot("decisions", "show", "3f9a", "--json").out) == as_json(running.api.end)


def test_an_unknown_question_is_not_found(moot: Any, running: Any) -> None:
    for command in ("show", "export"):
        ran = moot("decisions", command, "beef")
        assert (ran.code, ran.out) == (Exit.NOT_FOUND, "")


def test_export_writes_the_file_and_says_where(moot: Any, running: Any, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    ran = moot("decisions", "export", "3f9a")
    assert (ran.code, ran.out) == (Exit.OK, "3f9a1c20bb07.json\n")
    assert (tmp_path / "3f9a1c20bb07.json").read_bytes() == running.api.certificate("3f9a")
    assert "moot verify 3f9a1c20bb07.json" in ran.err
    moot("decisions", "export", "3f9a", "-o", "named.json")
    assert (tmp_path / "named.json").read_bytes() == running.api.certificate("3f9a")


def test_export_to_stdout(moot: Any, running: Any) -> None:
    ran = moot("decisions", "export", "3f9a", "-o", "-")
    assert ran.out.encode() == running.api.certificate("3f9a")


def test_export_to_where_nothing_can_be_written(moot: Any, running: Any, tmp_path: Path) -> None:
    ran = moot("decisions", "export", "3f9a", "-o", str(tmp_path / "no" / "such" / "folder.json"))
    assert (ran.code, ran.out) == (Exit.FAILED, "")
    assert "No such file or directory" in ran.err


def test_export_to_a_full_disk_leaves_nothing_half_written(running: Any, home: Path, tmp_path: Path) -> None:
    """A process that may not write a single byte stands for the full disk."""
    file = tmp_path / "certificate.json"
    file.write_text("from before")
    command = f"ulimit -f 0; exec {sys.executable} -m node decisions export 3f9a -o {file}"
    ran = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert (ran.returncode, ran.stdout) == (Exit.STORE_FULL, "")
    assert "File too large" in ran.stderr
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == [file.name]
    assert file.read_text() == "from before"


def test_an_open_question_has_no_certificate(moot: Any, running: Any, decision: Any) -> None:
    running.api.end = decision("open")
    ran = moot("decisions", "export", "3f9a")
    assert (ran.code, ran.out) == (Exit.QUESTION_REFUSED, "")
    assert "still open" in ran.err

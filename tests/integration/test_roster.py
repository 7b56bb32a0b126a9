"""Real nodes: a fifth member is added to four, then one is removed, and every decision verifies from the genesis."""

import json
from pathlib import Path

from node.errors import Exit
from node.founding import create_home, join, read_genesis
from node.home import Home
from tests.integration.moots import PATIENCE_S, LocalMoot, run_moot

FOUR, FIFTH = ("abacus", "almanac", "sage", "sorter"), "scribe"


def command(moot: LocalMoot, at: str, *arguments: str) -> str:
    ran = run_moot("roster", *arguments, "--home", str(moot.home(at)))
    assert ran.returncode == Exit.OK, ran.stderr
    return ran.stdout.strip()


def wait_epoch(moot: LocalMoot, epoch: int, names: tuple[str, ...]) -> None:
    moot.wait_for(
        f"epoch {epoch}",
        lambda: all(moot.client(name).status()["epoch"] == epoch for name in names) or None,
        PATIENCE_S,
    )


def decide(moot: LocalMoot, at: str, text: str, names: tuple[str, ...]) -> str:
    question = moot.ask(at, text)
    moot.ended(question, names)
    return question


def check_certificate(moot: LocalMoot, at: str, question: str, file: Path, *, epoch: int) -> None:
    """In a process that knows nothing but the file and the genesis."""
    file.write_bytes(moot.client(at).certificate(question))
    ran = run_moot("verify", str(file), "--genesis", str(moot.genesis_file), "--json")
    assert ran.returncode == Exit.OK, ran.stderr
    assert json.loads(ran.stdout)["epoch"] == epoch


def test_members_are_added_and_removed_while_decisions_go_on(tmp_path: Path) -> None:
    with LocalMoot(tmp_path / "moot", FOUR) as moot:
        moot.found("changing")
        moot.start_all()
        before = decide(moot, "abacus", "What is 11 plus 12?", FOUR)

        [port] = moot.free_ports(1)
        listen, model = f"127.0.0.1:{port}", f"reference:{FIFTH}"
        create_home(
            moot.home(FIFTH), name=FIFTH, listen=listen, model=model, organization=None, membership={"profile": "local"}
        )
        assert not join(Home.find(moot.home(FIFTH)), read_genesis(moot.genesis_file))
        moot.names = five = (*FOUR, FIFTH)
        moot.start(FIFTH)
        change = command(moot, "abacus", "add", str(moot.home(FIFTH)), "--reason", "one more")
        moot.wait_for("the change at sage", lambda: moot.client("sage").roster()["changes"] or None, PATIENCE_S)
        command(moot, "sage", "approve", change[:12])
        moot.kill("sage")
        moot.start("sage")
        moot.wait_for("the change at sorter", lambda: moot.client("sorter").roster()["changes"] or None, PATIENCE_S)
        command(moot, "sorter", "approve", change[:12])
        wait_epoch(moot, 1, five)
        moot.wait_whole()
        between = decide(moot, FIFTH, "What is 12 plus 12?", five)
        assert len(moot.client("sage").decision(between)["members"]) == 5

        change = command(moot, FIFTH, "remove", "almanac")
        for name in ("abacus", "sage", "sorter"):
            moot.wait_for(f"the change at {name}", lambda: moot.client(name).roster()["changes"] or None, PATIENCE_S)  # noqa: B023
            command(moot, name, "approve", change)
        wait_epoch(moot, 2, five)
        assert not moot.client("almanac").status()["in_roster"]
        refused = run_moot("ask", "What is 1 plus 1?", "--home", str(moot.home("almanac")))
        assert refused.returncode == Exit.QUESTION_REFUSED
        four = tuple(name for name in five if name != "almanac")
        after = decide(moot, "sage", "What is 13 plus 12?", four)
        assert len(moot.client(FIFTH).decision(after)["members"]) == 4

        for name in four:
            for epoch, question in enumerate((before, between, after)):
                check_certificate(moot, name, question, tmp_path / f"{name}-{epoch}.json", epoch=epoch)
        check_certificate(moot, "almanac", between, tmp_path / "almanac.json", epoch=1)
        assert moot.client("almanac").status()["height"] < moot.client("sage").status()["height"]

"""A node that was put back to an older state of its disk: it follows what it has forgotten, and contradicts nothing."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from node.errors import Exit
from tests.integration.moots import LocalMoot, check_ledgers, common, copy_store, put_back_store
from tests.integration.witness import contradictions, statements

WITNESS, VICTIM = "sorter", "sage"


@pytest.fixture
def moot(tmp_path: Path) -> Iterator[LocalMoot]:
    with LocalMoot(tmp_path / "moot") as moot:
        moot.found("old")
        yield moot


def test_a_backup_from_the_middle_of_a_vote_contradicts_nothing(moot: LocalMoot, tmp_path: Path) -> None:
    """Without a quorum a vote stays open, so that the backup surely holds one that went on after it was taken."""
    heard = moot.start_witness(WITNESS)
    moot.start_all()
    first = moot.decided(moot.ask("abacus", "What is 11 plus 12?"))
    for name in ("almanac", "scribe"):
        moot.freeze(name)
    open_question = moot.ask("abacus", "What is 12 plus 13?", deadline_ms=1_000)
    node = next(member["node"] for member in moot.client("abacus").members() if member["name"] == VICTIM)
    moot.wait_for(f"{VICTIM} votes", lambda: node_spoke(heard, node, 1) or None, 60)
    moot.kill(VICTIM)
    copy_store(moot.home(VICTIM), tmp_path / "backup")
    moot.start(VICTIM)
    moot.thaw("almanac")  # Still, no quorum without the victim.
    awake = [name for name in moot.names if name != "scribe"]
    decisions = [first, moot.ended(open_question, awake)]
    decisions += [moot.decided(moot.ask("abacus", f"What is 13 plus {number}?"), awake) for number in range(3)]
    assert sum(one.node.hex() == node and one.slot == 1 for one in statements(heard)) > 1, "it said more since"
    moot.kill(VICTIM)
    moot.thaw("scribe")
    put_back_store(tmp_path / "backup", moot.home(VICTIM))
    moot.start(VICTIM)
    decisions.append(moot.decided(moot.ask("abacus", "What is 14 plus 15?"), moot.names))
    for decision in decisions:
        assert common(moot.client(VICTIM).decision(decision["id"])) == common(decision)
    decisions.append(moot.decided(moot.ask(VICTIM, "What is 15 plus 16?")))
    assert {member["state"] for member in decisions[-1]["members"]} == {"answered"}
    assert [moot.end(name) for name in moot.names] == [Exit.OK] * 5
    check_ledgers(moot)
    assert contradictions(heard) == []


def node_spoke(heard: Path, node: str, slot: int) -> bool:
    """Whether the witness has heard a statement by this node about this slot."""
    return any((one.node.hex(), one.slot) == (node, slot) for one in statements(heard))

"""The witness itself: a test that trusts it would otherwise pass whatever the nodes said."""

from pathlib import Path

from coordinator.voting.statement import Nominate, Statement, encode
from tests.integration.witness import contradictions

NODE, QUORUM_SET = b"n" * 32, b"q" * 32


def nominate(slot: int, *votes: bytes) -> Statement:
    return Nominate(NODE, slot, QUORUM_SET, tuple(vote * 32 for vote in votes), ())


def found(path: Path, *said: Statement) -> int:
    path.write_text("".join(f"{encode(one).hex()}\n" for one in said))
    return len(contradictions(path))


def test_what_follows_from_what_was_said_before_is_none(tmp_path: Path) -> None:
    assert (
        found(tmp_path / "heard", nominate(1, b"a"), nominate(1, b"a", b"b"), nominate(1, b"a"), nominate(2, b"c")) == 0
    )


def test_a_vote_that_was_forgotten_is_one(tmp_path: Path) -> None:
    """Also where something else was said in between."""
    said = [nominate(1, b"a"), nominate(2, b"c"), nominate(1, b"b"), nominate(1, b"b", b"c")]
    assert found(tmp_path / "heard", *said) == 2

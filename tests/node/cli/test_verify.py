"""`moot verify`: a real certificate of five keys passes; changed in any part it is refused, each part by its code."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from coordinator.ledger.agenda import Agenda, Item
from coordinator.ledger.certificate import certificate_of
from coordinator.ledger.genesis import Genesis
from coordinator.ledger.roster import Member
from coordinator.records import AnswerKind, Cost, Preference, Proposal, Question
from coordinator.signed import Kind, Signed
from coordinator.voting import Ballot, Externalize, encode
from node.errors import Exit
from node.identity import Keypair
from node.signing import MootSigner

NAMES = ("ada", "bea", "cleo", "dan", "eve")
TEXT = "What is 17 plus 25?"
Document = dict[str, Any]


class Moot:
    """Five keys, one genesis, one decided question."""

    def __init__(self) -> None:
        keys = [Keypair.generate() for _ in NAMES]
        members = [Member(key.node, name, "home", 1, "127.0.0.1:0") for key, name in zip(keys, NAMES, strict=True)]
        self.genesis = Genesis.found("kitchen", 1_700_000_000_000, members)
        self.signers = [MootSigner(key, self.genesis.moot_id) for key in keys]

    def certificate(self, answers: tuple[str, ...] = ("42", "42", "42", "42", "41"), signed_by: int = 4) -> bytes:
        question = Question(TEXT, AnswerKind.NUMBER, (), 20_000, "", 1_700_000_000_000, b"n" * 16)
        asked = self.signers[0].sign(Kind.QUESTION, question.encode())
        other = self.signers[1].sign(Kind.QUESTION, self._another(question).encode())
        item = Item(asked, *self._records(asked, answers))
        agenda = Agenda.of(1, self.genesis.moot_id, 0, [item, Item(other, (), ())])
        statements = [self._externalize(signer, agenda) for signer in self.signers[:signed_by]]
        return certificate_of(agenda, asked.digest(), statements, self.genesis)

    def _records(self, asked: Signed, answers: tuple[str, ...]) -> tuple[tuple[Signed, ...], tuple[Signed, ...]]:
        proposals, preferences = [], []
        for signer, answer in zip(self.signers, answers, strict=False):
            cost = Cost(3, 40, 9, 2_500)
            proposal = Proposal(asked.digest(), ((answer, 5),), 5, b"m" * 32, 7, 800, cost)
            proposals.append(signer.sign(Kind.PROPOSAL, proposal.encode()))
            preferences.append(
                signer.sign(Kind.PREFERENCE, Preference(asked.digest(), ((answer, 5),), Cost()).encode())
            )
        order = {signer.node: signer.node for signer in self.signers}
        return (
            tuple(sorted(proposals, key=lambda one: order[one.author])),
            tuple(sorted(preferences, key=lambda one: order[one.author])),
        )

    def _externalize(self, signer: MootSigner, agenda: Agenda) -> Signed:
        ballot = Ballot(1, agenda.digest)
        statement = Externalize(signer.node, 1, self.genesis.roster.quorum_set_digest, ballot, 1)
        return signer.sign(Kind.STATEMENT, encode(statement))

    @staticmethod
    def _another(question: Question) -> Question:
        return Question("Another?", question.kind, (), 20_000, "", question.asked_ms, b"o" * 16)


@pytest.fixture(scope="module")
def five() -> Moot:
    return Moot()


@pytest.fixture
def file(five: Moot, tmp_path: Path) -> Path:
    """A certificate with its genesis beside it."""
    (tmp_path / "genesis.json").write_bytes(five.genesis.to_json())
    place = tmp_path / "decision.json"
    place.write_bytes(five.certificate())
    return place


def test_a_certificate_is_verified_without_a_node(moot: Any, file: Path) -> None:
    ran = moot("verify", str(file))
    assert (ran.code, ran.out) == (Exit.OK, "42\n")
    said = dict(line.split(None, 1) for line in ran.err.splitlines())
    assert said["verified"].startswith("4 of 5 members signed (4 needed): ")
    assert said["question"] == TEXT
    assert said["answered"] == "5 of 5 members"
    assert said["tally"] == "points: 42 ×20  41 ×5"
    assert said["cost"] == "15 forward passes, 200 tokens in, 45 out"
    assert said["slot"] == "1"


def test_json_says_the_same(moot: Any, file: Path, five: Moot) -> None:
    report = json.loads(moot("verify", str(file), "--json").out)
    assert report["verified"] is True
    assert report["answer"] == "42"
    assert report["scores"] == [["42", 20], ["41", 5]]
    assert report["moot"] == five.genesis.moot_id.hex()
    assert sorted(report["members"]) == sorted(NAMES)
    assert len(report["signers"]) == 4


def test_an_end_without_answer_is_proven_too(moot: Any, file: Path, five: Moot) -> None:
    file.write_bytes(five.certificate(answers=("42",)))
    ran = moot("verify", str(file))
    assert (ran.code, ran.out) == (Exit.OK, "no quorum: 1 of 5 members answered by the deadline\n")


def test_the_genesis_can_be_named_or_lie_in_the_home(moot: Any, file: Path, five: Moot, home: Path) -> None:
    named = file.with_name("elsewhere.json")
    file.with_name("genesis.json").rename(named)
    assert moot("verify", str(file), "--genesis", str(named)).code == Exit.OK
    assert moot("verify", str(file)).code == Exit.USAGE
    (home / "genesis.json").write_bytes(five.genesis.to_json())
    assert moot("verify", str(file)).code == Exit.OK


def _flip(text: str, at: int = 0) -> str:
    """Another hexadecimal digit in one place."""
    return text[:at] + ("0" if text[at] != "0" else "1") + text[at + 1 :]


def _bad_signature(document: Document) -> None:
    document["statements"][0]["signature"] = _flip(document["statements"][0]["signature"])


def _one_statement_less(document: Document) -> None:
    document["statements"].pop()


def _other_moot(document: Document) -> None:
    document["moot"] = _flip(document["moot"])


def _other_path(document: Document) -> None:
    document["path"][0] = _flip(document["path"][0])


def _other_answer(document: Document) -> None:
    document["summary"]["answer"] = "41"


def _other_item(document: Document) -> None:
    document["item"] = _flip(document["item"], at=len(document["item"]) - 1)


def _part_missing(document: Document) -> None:
    del document["path"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        pytest.param(_bad_signature, Exit.BAD_SIGNATURE, id="signature"),
        pytest.param(_one_statement_less, Exit.PROOF_INCOMPLETE, id="statement missing"),
        pytest.param(_other_moot, Exit.WRONG_MOOT, id="moot"),
        pytest.param(_other_path, Exit.WRONG_PATH, id="path"),
        pytest.param(_other_item, Exit.WRONG_PATH, id="item"),
        pytest.param(_other_answer, Exit.WRONG_SUMMARY, id="summary"),
        pytest.param(_part_missing, Exit.NOT_A_CERTIFICATE, id="part missing"),
    ],
)
def test_a_changed_part_is_refused(moot: Any, file: Path, change: Callable[[Document], None], code: Exit) -> None:
    document = json.loads(file.read_bytes())
    change(document)
    file.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    ran = moot("verify", str(file))
    assert (ran.code, ran.out) == (code, "")
    assert ran.err.startswith(f"refused: {file}: ")
    refused = moot("verify", str(file), "--json")
    assert refused.code == code
    assert json.loads(refused.out)["verified"] is False


def test_records_that_nobody_may_count_are_refused(moot: Any, file: Path, five: Moot) -> None:
    """More points than the charter gives: signed well, and still nothing that honest members put on an agenda."""
    mean = Genesis.found("kitchen", five.genesis.created_ms, five.genesis.members, samples=3)
    richer = Moot.__new__(Moot)
    richer.genesis = mean
    richer.signers = [MootSigner(signer._keypair, mean.moot_id) for signer in five.signers]
    file.write_bytes(richer.certificate())
    file.with_name("genesis.json").write_bytes(mean.to_json())
    ran = moot("verify", str(file))
    assert (ran.code, ran.out) == (Exit.WRONG_ITEM, "")


def test_every_flipped_byte_is_noticed(moot: Any, file: Path) -> None:
    """No byte of the file is without meaning. Every 97th is tried, which reaches all parts."""
    good = file.read_bytes()
    for at in range(0, len(good), 97):
        file.write_bytes(good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :])
        ran = moot("verify", str(file))
        assert Exit.NOT_A_CERTIFICATE <= ran.code <= Exit.WRONG_SUMMARY, f"byte {at} went unnoticed"
        assert ran.out == ""


@pytest.mark.parametrize("data", [b"", b"garbage", b"{}", b"\xff" * 100, b"[" * 100_000, b"7\n"])
def test_what_is_no_certificate(moot: Any, file: Path, data: bytes) -> None:
    file.write_bytes(data)
    assert moot("verify", str(file)).code == Exit.NOT_A_CERTIFICATE


def test_files_that_cannot_be_read(moot: Any, file: Path) -> None:
    missing = moot("verify", str(file.with_name("nothing.json")))
    assert (missing.code, missing.out) == (Exit.USAGE, "")
    assert "No such file" in missing.err
    assert moot("verify", str(file.parent)).code == Exit.USAGE
    file.with_name("genesis.json").write_text("{}")
    assert moot("verify", str(file)).code == Exit.GENESIS

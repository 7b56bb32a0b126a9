"""What the store keeps of changes of the roster: open ones until they are decided or outrun, decided ones for ever."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from coordinator.effects import ForgetRecords, SaveEntry, SaveRecord
from coordinator.signed import Kind, Signed
from node.store import Store

MOOT, NODE = b"m" * 32, b"n" * 32
OPEN = sha256(b"open").digest()


def entry(slot: int, epoch: int | None = None) -> SaveEntry:
    agenda = f"agenda {slot}".encode()
    return SaveEntry(slot, sha256(agenda).digest(), agenda, (), epoch)


def record(kind: Kind, body: str) -> Signed:
    return Signed(kind, NODE, body.encode(), b"s" * 64)


def opened(path: Path) -> "closing[Store]":
    return closing(Store.open(path, MOOT, NODE))


def test_the_agendas_that_changed_the_roster_are_loaded_in_order(tmp_path: Path) -> None:
    """A start derives who counts from them, without reading the whole ledger."""
    with opened(tmp_path / "moot.db") as store:
        store.save([entry(0), entry(1, 1), entry(2), entry(3, 2), entry(4)])
    with opened(tmp_path / "moot.db") as store:
        assert store.load().changes == (b"agenda 1", b"agenda 3")


def test_who_is_accused_stays_accused(tmp_path: Path) -> None:
    with opened(tmp_path / "moot.db") as store:
        store.save([replace(entry(0), accused=((NODE, 3), (MOOT, 0))), entry(1)])
    with opened(tmp_path / "moot.db") as store:
        assert store.load().accused == ((MOOT, 0), (NODE, 3))


def test_open_changes_are_kept_until_they_are_forgotten(tmp_path: Path) -> None:
    change, approval = record(Kind.CHANGE, "change"), record(Kind.APPROVAL, "approval")
    question = record(Kind.QUESTION, "question")
    with opened(tmp_path / "moot.db") as store:
        store.save([SaveRecord(OPEN, change), SaveRecord(OPEN, approval), SaveRecord(question.digest(), question)])
        assert store.find(OPEN.hex()) == [], "a change is no question"
    with opened(tmp_path / "moot.db") as store:
        assert [kept for _, kept in store.load().records] == [change, approval, question]
        store.save([ForgetRecords((OPEN,)), entry(0, 1)])
    with opened(tmp_path / "moot.db") as store:
        assert [kept for _, kept in store.load().records] == [question]


def test_a_store_from_before_rosters_is_brought_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / "moot.db"
    with opened(path) as store:
        store.save([entry(0)])
    with closing(sqlite3.connect(path)) as database:
        for table in ("rosters", "accused"):
            database.execute(f"DROP TABLE {table}")
        database.execute("PRAGMA user_version = 1")
        database.commit()
    with opened(path) as store:
        assert not store.created
        store.save([entry(1, 1)])
        assert (store.load().height, store.load().changes) == (2, (b"agenda 1",))
    with opened(path) as store, pytest.raises(sqlite3.IntegrityError):
        store.save([entry(2, 1)])

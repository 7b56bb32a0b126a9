"""The store: what was acknowledged is there again, a failed save leaves nothing, and no file of others is touched."""

import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest

from coordinator.effects import Save, SaveAgenda, SaveEntry, SaveRecord, SaveStatements, SaveVoting
from coordinator.messages import LedgerEntry
from coordinator.signed import Kind, Signed
from node.errors import Exit, StoreCorrupt, StoreFull
from node.store import SLOTS_KEPT, Store

MOOT, NODE = b"m" * 32, b"n" * 32


def digest(text: str) -> bytes:
    return sha256(text.encode()).digest()


def record(body: str, kind: Kind = Kind.PREFERENCE) -> Signed:
    return Signed(kind, NODE, body.encode(), b"s" * 64)


def statement(body: str) -> Signed:
    return record(body, Kind.STATEMENT)


def entry(slot: int, *questions: str) -> SaveEntry:
    agenda = f"agenda {slot}"
    return SaveEntry(slot, digest(agenda), agenda.encode(), tuple(digest(question) for question in questions))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "moot.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    store = Store.open(path, MOOT, NODE)
    yield store
    store.close()


def reopened(store: Store, path: Path) -> Store:
    store.close()
    return Store.open(path, MOOT, NODE)


def test_a_new_store_is_empty_and_private(store: Store, path: Path) -> None:
    stored = store.load()
    assert store.created
    assert (stored.height, stored.head, stored.records, stored.voting) == (0, None, (), ())
    assert (stored.agendas, stored.decided, stored.unproven) == ({}, frozenset(), ())
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert modes == {"moot.db": 0o600, "moot.db-wal": 0o600, "moot.db-shm": 0o600}


def test_an_open_file_to_everyone_is_closed_to_others(store: Store, path: Path) -> None:
    store.close()
    path.chmod(0o644)
    Store.open(path, MOOT, NODE).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_every_commit_waits_for_the_disk(store: Store, path: Path) -> None:
    """The settings that durability rests on, as SQLite itself reports them."""
    pragmas = {name: store._rows(f"PRAGMA {name}")[0][0] for name in ("journal_mode", "synchronous", "fullfsync")}
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "fullfsync": 1}


def test_epochs_only_grow(store: Store, path: Path) -> None:
    """Two starts with one epoch would sign different things under one version; a clock set back must not matter."""
    assert store.next_epoch(1_000) == 1_000
    assert store.next_epoch(5) == 1_001
    again = reopened(store, path)
    assert not again.created
    assert [again.next_epoch(0), again.next_epoch(2_000), again.next_epoch(2_000)] == [1_002, 2_000, 2_001]
    again.close()


def test_what_was_saved_is_loaded_by_the_next_start(store: Store, path: Path) -> None:
    first, second = digest("first"), digest("second")
    question = record("asked", Kind.QUESTION)
    store.save(
        [
            SaveRecord(second, question),
            SaveRecord(first, record("one")),
            SaveRecord(second, record("two")),
            SaveRecord(second, record("two")),
            SaveVoting(0, b"old", ()),
            SaveVoting(0, b"new", (statement("nominate"), statement("prepare"))),
            SaveAgenda(0, digest("value"), b"value"),
            SaveAgenda(0, digest("value"), b"value"),
        ]
    )
    again = reopened(store, path)
    stored = again.load()
    assert stored.records == ((second, question), (first, record("one")), (second, record("two")))
    assert stored.voting == (SaveVoting(0, b"new", (statement("nominate"), statement("prepare"))),)
    assert stored.agendas == {digest("value"): b"value"}
    again.close()


def test_two_contradicting_records_are_both_kept(store: Store) -> None:
    """They are evidence against their author; the later one must not replace the earlier one."""
    question = digest("q")
    store.save([SaveRecord(question, record("yes")), SaveRecord(question, record("no"))])
    assert store.load().records == ((question, record("yes")), (question, record("no")))


def test_a_decided_question_leaves_only_its_entry(store: Store, path: Path) -> None:
    store.save([SaveRecord(digest("a"), record("1")), SaveRecord(digest("b"), record("2"))])
    store.save([SaveAgenda(0, digest("agenda 0"), b"agenda 0"), entry(0, "a")])
    store.save([SaveRecord(digest("a"), record("straggler"))])
    again = reopened(store, path)
    stored = again.load()
    assert (stored.height, stored.head) == (1, digest("agenda 0"))
    assert stored.records == ((digest("b"), record("2")),)
    assert stored.decided == {digest("a")}
    assert stored.agendas == {}
    assert stored.unproven == ((0, b"agenda 0"),)
    again.close()


def test_votes_of_recent_and_of_unproven_slots_stay(store: Store) -> None:
    """Members that are behind can finish a slot only with the statements of those who voted."""
    for slot in range(SLOTS_KEPT + 3):
        store.save([SaveVoting(slot, b"%d" % slot, ()), SaveAgenda(slot, digest(f"{slot}"), b"value"), entry(slot)])
        if slot != 1:
            store.save([SaveStatements(slot, (statement("s"),))])
    assert [saved.slot for saved in store.load().voting] == [1, *range(3, SLOTS_KEPT + 3)]
    assert store._rows("SELECT min(slot), count(*) FROM agendas") == [(3, SLOTS_KEPT)]
    store.save([SaveStatements(1, (statement("s"),)), entry(SLOTS_KEPT + 3)])
    assert [saved.slot for saved in store.load().voting] == list(range(4, SLOTS_KEPT + 3))


def test_an_entry_is_unproven_until_its_statements_come(store: Store) -> None:
    store.save([entry(0), entry(1), entry(2)])
    assert store.entries(0, 5, 1_000) == ()
    assert store.entry(1) == LedgerEntry(b"agenda 1", ())
    store.save([SaveStatements(0, (statement("a"),)), SaveStatements(2, (statement("c"),))])
    assert store.load().unproven == ((1, b"agenda 1"),)
    assert store.entries(0, 5, 1_000) == (LedgerEntry(b"agenda 0", (statement("a"),)),)
    store.save([SaveStatements(1, (statement("b"),)), SaveStatements(0, (statement("a"), statement("more")))])
    assert store.load().unproven == ()
    assert [len(found.statements) for found in store.entries(0, 5, 1_000)] == [2, 1, 1]
    assert store.entry(3) is None


def test_entries_are_limited_and_consecutive(store: Store) -> None:
    for slot in range(6):
        store.save([entry(slot), SaveStatements(slot, (statement("s"),))])
    assert [found.agenda for found in store.entries(2, 3, 10_000)] == [b"agenda 2", b"agenda 3", b"agenda 4"]
    assert len(store.entries(0, 6, 300)) < 6
    assert len(store.entries(0, 6, 1)) == 1, "the first comes whatever its size, or nobody would get past it"
    assert store.entries(6, 5, 10_000) == ()
    assert store.entries(2**64 - 1, 5, 10_000) == (), "a peer may ask for any slot"
    assert store.entry(2**64 - 1) is None


def test_questions_are_found(store: Store) -> None:
    store.save([SaveRecord(digest("open"), record("o"))])
    store.save([entry(0, "a", "b"), entry(1), entry(2, "c")])
    assert [store.slot_of(digest(question)) for question in ("a", "c", "open")] == [0, 2, None]
    assert store.recent(10) == [(2, digest("c")), (0, digest("b")), (0, digest("a"))]
    assert store.recent(1) == [(2, digest("c"))]
    assert store.recent(10, before_slot=2) == [(0, digest("b")), (0, digest("a"))]
    for question in ("a", "open"):
        text = digest(question).hex()
        assert store.find(text[:4]) == store.find(text[:7].upper()) == store.find(text) == [digest(question)]


@pytest.mark.parametrize("prefix", ["", "abc", "wxyz", "0x12", "00" * 33, "\u0661" * 4])
def test_what_is_no_prefix_finds_nothing(store: Store, prefix: str) -> None:
    assert store.find(prefix) == []


def test_a_prefix_of_several_finds_them_all(store: Store) -> None:
    ids = [bytes.fromhex("abcd" + f"{n:060x}") for n in (3, 1, 2)]
    store.save([SaveEntry(0, digest("x"), b"x", tuple(ids))])
    assert store.find("abcd") == sorted(ids)
    assert store.find("abcd", limit=2) == sorted(ids)[:2]


def test_members_are_remembered_until_others_are(store: Store, path: Path) -> None:
    store.remember_members([record("a", Kind.MEMBER), record("b", Kind.MEMBER)])
    store.remember_members([record("c", Kind.MEMBER)])
    again = reopened(store, path)
    assert again.remembered_members() == (record("c", Kind.MEMBER),)
    again.close()


@pytest.mark.parametrize(
    ("write", "problem"),
    [
        (entry(2), "slot 2 decided at height 1"),
        (entry(0), "slot 0 decided at height 1"),
        (SaveStatements(1, ()), "slot 1, which is not decided"),
        (SaveVoting(1, b"", (record("preference"),)), "only statements"),
    ],
)
def test_a_save_that_cannot_be_right_is_our_bug_and_leaves_nothing(store: Store, write: Save, problem: str) -> None:
    store.save([entry(0)])
    with pytest.raises(AssertionError, match=problem):
        store.save([SaveRecord(digest("q"), record("r")), write])
    assert store.load().records == ()
    store.save([entry(1)])


def test_a_full_disk_leaves_nothing_half_written_and_the_store_usable(store: Store, path: Path) -> None:
    """A save of many writes fails as one; once there is room the same save succeeds."""
    store.save([SaveVoting(0, b"before", ())])
    [(pages,)] = store._rows("PRAGMA page_count")
    store._rows(f"PRAGMA max_page_count = {pages + 2}")
    writes: list[Save] = [SaveVoting(0, b"after", ()), SaveRecord(digest("q"), record("small"))]
    writes += [SaveAgenda(0, digest(f"{n}"), bytes(8_000)) for n in range(4)]
    for _ in range(2):
        with pytest.raises(StoreFull, match="nothing of it was kept") as caught:
            store.save(writes)
        assert caught.value.exit_code is Exit.STORE_FULL
        stored = store.load()
        assert (stored.voting, stored.records, stored.agendas) == ((SaveVoting(0, b"before", ()),), (), {})
    assert store.next_epoch(7) == 7, "what fits is still taken"
    store._rows("PRAGMA max_page_count = 1000000")
    store.save(writes)
    again = reopened(store, path)
    assert (len(again.load().agendas), again.load().voting) == (4, (SaveVoting(0, b"after", ()),))
    again.close()


def test_a_store_that_another_program_holds(store: Store, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("node.store_file.BUSY_WAIT_S", 0.0)
    again = reopened(store, path)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreFull, match="another program holds the store"):
        again.save([entry(0)])
    other.execute("ROLLBACK")
    other.close()
    again.save([entry(0)])
    again.close()


def contents(path: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in path.parent.iterdir()}


@pytest.mark.parametrize(
    ("moot", "node", "problem"),
    [
        pytest.param(b"x" * 32, NODE, "belongs to moot 6d6d6d", id="another moot"),
        pytest.param(MOOT, b"x" * 32, "belongs to node 6e6e6e", id="another node"),
    ],
)
def test_a_store_of_another_is_refused(store: Store, path: Path, moot: bytes, node: bytes, problem: str) -> None:
    """Its votes are not ours: going on with it would contradict what one of the two has signed."""
    store.close()
    before = contents(path)
    with pytest.raises(StoreCorrupt, match=problem) as caught:
        Store.open(path, moot, node)
    assert caught.value.exit_code is Exit.STORE_CORRUPT
    assert contents(path) == before


def test_a_newer_version_is_refused(store: Store, path: Path) -> None:
    store._rows("PRAGMA user_version = 9")
    store.close()
    before = contents(path)
    with pytest.raises(StoreCorrupt, match="version 9, and this program knows 2"):
        Store.open(path, MOOT, NODE)
    assert contents(path) == before


def test_another_programs_database_is_refused(path: Path) -> None:
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE theirs (x)")
    other.close()
    before = contents(path)
    with pytest.raises(StoreCorrupt, match="another program"):
        Store.open(path, MOOT, NODE)
    assert contents(path) == before


@pytest.mark.parametrize("damage", ["not a database", "zeros", "cut", "one page"])
def test_a_damaged_file_is_refused_and_left_as_it_is(store: Store, path: Path, damage: str) -> None:
    store.save([SaveAgenda(0, digest(f"{n}"), bytes([n]) * 9_000) for n in range(20)])
    store.close()
    data = path.read_bytes()
    match damage:
        case "not a database":
            path.write_bytes(b"Dear diary, " * 1_000)
        case "zeros":
            path.write_bytes(data[:4_096] + bytes(len(data) - 4_096))
        case "one page":
            with closing(sqlite3.connect(path)) as other:
                query = "SELECT rootpage FROM sqlite_master WHERE name = 'entries_unproven'"
                [(root,)] = other.execute(query).fetchall()
            path.write_bytes(data[: (root - 1) * 4_096] + bytes([10]) + bytes(4_095) + data[root * 4_096 :])
        case "cut":
            path.write_bytes(data[: len(data) // 2])
    before = path.read_bytes()
    with pytest.raises(StoreCorrupt, match="damaged"):
        Store.open(path, MOOT, NODE)
    assert path.read_bytes() == before


def test_a_row_that_cannot_be_read_is_told(store: Store) -> None:
    store.save([entry(0), SaveStatements(0, (statement("s"),))])
    store._run("UPDATE entries SET statements = x'00000001ff'")
    with pytest.raises(StoreCorrupt, match="cannot be read"):
        store.entries(0, 1, 1_000)


def test_an_interrupted_creation_starts_anew(path: Path) -> None:
    """A crash before the tables are committed leaves an empty file: a new store, not a damaged one."""
    path.touch()
    store = Store.open(path, MOOT, NODE)
    assert store.created
    store.close()


def test_where_no_file_can_be_made(tmp_path: Path) -> None:
    with pytest.raises(StoreFull, match="cannot be written"):
        Store.open(tmp_path / "nowhere" / "moot.db", MOOT, NODE)


def test_closing_twice_is_no_error_and_leaves_one_file(store: Store, path: Path) -> None:
    store.save([entry(0)])
    store.close()
    store.close()
    assert os.listdir(path.parent) == ["moot.db"]

"""The store's file: its tables, its version, whose it is, and how SQLite is set up to keep it."""

import os
import sqlite3
from pathlib import Path

from coordinator.signed import Digest, NodeId
from node.errors import StoreCorrupt

APPLICATION_ID = 0x4D4F4F54
"""In the file's header: "MOOT"."""
SCHEMA_VERSION = 2
"""2 added rosters and accused. A store of an earlier version gets what it lacks when it is opened."""
BUSY_WAIT_S = 5.0
"""For another program that looks into the file, for example a backup."""
WAL_SIZE_MAX = 16 * 1024 * 1024
"""Bytes that the write-ahead log is cut back to after a burst; it is moved into the file every 4 MiB."""

_SCHEMA = """
CREATE TABLE owner (moot BLOB NOT NULL, node BLOB NOT NULL);
CREATE TABLE epoch (number INTEGER NOT NULL);
CREATE TABLE records (
    digest BLOB NOT NULL UNIQUE, question BLOB NOT NULL, kind TEXT NOT NULL,
    author BLOB NOT NULL, body BLOB NOT NULL, signature BLOB NOT NULL
);
CREATE INDEX records_of_question ON records (question);
CREATE TABLE voting (slot INTEGER PRIMARY KEY, state BLOB NOT NULL, statements BLOB NOT NULL);
CREATE TABLE agendas (slot INTEGER NOT NULL, digest BLOB NOT NULL, agenda BLOB NOT NULL, UNIQUE (slot, digest));
CREATE TABLE entries (slot INTEGER PRIMARY KEY, digest BLOB NOT NULL, agenda BLOB NOT NULL, statements BLOB);
CREATE INDEX entries_unproven ON entries (slot) WHERE statements IS NULL;
CREATE TABLE questions (question BLOB PRIMARY KEY, slot INTEGER NOT NULL, place INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX questions_by_slot ON questions (slot, place);
CREATE TABLE members (kind TEXT NOT NULL, author BLOB NOT NULL, body BLOB NOT NULL, signature BLOB NOT NULL);
"""
_ADDED_BY_2 = """
CREATE TABLE rosters (epoch INTEGER PRIMARY KEY, slot INTEGER NOT NULL);
CREATE TABLE accused (member BLOB NOT NULL, slot INTEGER NOT NULL, PRIMARY KEY (member, slot)) WITHOUT ROWID;
"""
_ADDED = {2: _ADDED_BY_2}
"""What each version added to the one before."""


def open_database(path: Path, moot: Digest, node: NodeId) -> tuple[sqlite3.Connection, bool]:
    """The connection, and whether the file was made now.

    Raises:
        StoreCorrupt: the file is of another owner or version, or no store.
        sqlite3.Error, OSError: as they come; the caller puts them into words.
    """
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))  # SQLite would make it readable for everyone.
    path.chmod(0o600)
    # The calls come from whichever thread saves at the moment; never two at once.
    database = sqlite3.connect(path, timeout=BUSY_WAIT_S, isolation_level=None, check_same_thread=False)
    try:
        created = _prepare(path, database, moot, node)
    except BaseException:
        database.close()
        raise
    return database, created


def _prepare(path: Path, database: sqlite3.Connection, moot: Digest, node: NodeId) -> bool:
    """Look before anything is written: a file that is not ours stays as it is."""
    [(application,)] = database.execute("PRAGMA application_id").fetchall()
    [(version,)] = database.execute("PRAGMA user_version").fetchall()
    [(tables,)] = database.execute("SELECT count(*) FROM sqlite_master").fetchall()
    if tables and application != APPLICATION_ID:
        raise StoreCorrupt(f"{path}: this is another program's database; move it away or name another home")
    if tables and version > SCHEMA_VERSION:
        raise StoreCorrupt(
            f"{path}: the store has version {version}, and this program knows {SCHEMA_VERSION}; install a newer one"
        )
    if tables:
        _check(path, database, moot, node)
    for pragma in (
        "journal_mode = WAL",
        "synchronous = FULL",
        "fullfsync = ON",  # On macOS a plain fsync leaves data in the drive's cache.
        "checkpoint_fullfsync = ON",
        f"journal_size_limit = {WAL_SIZE_MAX}",
    ):
        database.execute(f"PRAGMA {pragma}").fetchall()
    if not tables:
        _create(database, moot, node)
    elif version < SCHEMA_VERSION:
        _upgrade(database, version)
    return not tables


def _check(path: Path, database: sqlite3.Connection, moot: Digest, node: NodeId) -> None:
    [(found,)] = database.execute("PRAGMA quick_check(1)").fetchall()
    if found != "ok":
        raise StoreCorrupt(f"{path}: the store is damaged ({found}); nothing was changed")
    for name, expected, actual in zip(
        ("moot", "node"), (moot, node), database.execute("SELECT moot, node FROM owner").fetchone(), strict=True
    ):
        if expected != actual:
            raise StoreCorrupt(
                f"{path}: the store belongs to {name} {bytes(actual).hex()[:16]}, and this is {expected.hex()[:16]};"
                " put the right store, identity and genesis together, or name another home"
            )


def _create(database: sqlite3.Connection, moot: Digest, node: NodeId) -> None:
    """All of it or nothing, so that a crash in between leaves an empty file, which is a new store again."""
    database.execute("BEGIN IMMEDIATE")
    for statement in "".join([_SCHEMA, *_ADDED.values()]).split(";"):
        database.execute(statement)
    database.execute("INSERT INTO owner VALUES (?, ?)", (moot, node))
    database.execute("INSERT INTO epoch VALUES (0)")
    database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    database.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    database.execute("COMMIT")


def _upgrade(database: sqlite3.Connection, version: int) -> None:
    """Add what later versions have. A store keeps all that it held."""
    database.execute("BEGIN IMMEDIATE")
    for number in range(version + 1, SCHEMA_VERSION + 1):
        for statement in _ADDED[number].split(";"):
            database.execute(statement)
    database.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    database.execute("COMMIT")

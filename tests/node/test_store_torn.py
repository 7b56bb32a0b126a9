"""The power fails while a save is being written: after it the store holds all of that save or nothing of it."""

import random
from itertools import pairwise
from pathlib import Path

import pytest

from coordinator.effects import SaveAgenda, SaveVoting
from node.store import Store
from tests.node.store_writer import MOOT, NODE, numbered

SAVES = 12
CUTS_PER_SAVE = 8


def files_after_each_save(path: Path) -> tuple[bytes, list[bytes]]:
    """The database file, which no save touches before a checkpoint, and the write-ahead log after each save."""
    store = Store.open(path, MOOT, NODE)
    log = path.with_name(path.name + "-wal")
    database, logs = path.read_bytes(), [log.read_bytes()]
    for slot in range(SAVES):
        store.save([SaveAgenda(slot, numbered(slot), b"agenda" * 900), SaveVoting(slot, b"state %d" % slot, ())])
        logs.append(log.read_bytes())
        assert path.read_bytes() == database, "no checkpoint came in between"
    store.close()
    return database, logs


def held(path: Path, database: bytes, log: bytes) -> tuple[int, int]:
    """How many slots' votes and agendas a store with these files holds."""
    path.write_bytes(database)
    path.with_name(path.name + "-wal").write_bytes(log)
    path.with_name(path.name + "-shm").unlink(missing_ok=True)
    store = Store.open(path, MOOT, NODE)
    stored = store.load()
    assert [saved.state for saved in stored.voting] == [b"state %d" % slot for slot in range(len(stored.voting))]
    store.close()
    return len(stored.voting), len(stored.agendas)


@pytest.mark.parametrize("tail", ["missing", "zeros", "garbage"])
def test_a_torn_save_is_no_save(tmp_path: Path, tail: str) -> None:
    """A vote without the agenda that it names, or a lost earlier vote, would make the node contradict itself."""
    chance = random.Random(tail)
    database, logs = files_after_each_save(tmp_path / "first.db")
    for saves, (before, after) in enumerate(pairwise(logs)):
        assert after.startswith(before), "the log only grows"
        for _ in range(CUTS_PER_SAVE):
            cut = chance.randrange(len(before), len(after))
            rest = len(after) - cut
            torn = after[:cut] + {"missing": b"", "zeros": bytes(rest), "garbage": chance.randbytes(rest)}[tail]
            assert held(tmp_path / "torn.db", database, torn) == (saves, saves)
        assert held(tmp_path / "torn.db", database, after) == (saves + 1, saves + 1)

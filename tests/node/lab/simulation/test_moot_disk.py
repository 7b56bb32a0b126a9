"""The simulated disk is the store's twin: whatever is saved in both, a start finds the same in both."""

from itertools import count
from pathlib import Path

import pytest

from coordinator.effects import ForgetRecords, Save, SaveAgenda, SaveEntry, SaveRecord, SaveStatements, SaveVoting
from coordinator.signed import Kind, Signed
from node.lab.simulation.moot.disk import DiskIsFull, HostDisk
from node.lab.simulation.streams import stream
from node.parts import restored
from node.store import Store

MOOT, NODE = b"m" * 32, b"n" * 32


def digest(number: int) -> bytes:
    return number.to_bytes(32, "big")


def record(kind: Kind, number: int) -> Signed:
    return Signed(kind, NODE, digest(number), bytes(64))


def writes(seed: int) -> list[list[Save]]:
    """Transactions as a core asks for them: slots in order, proofs late, stragglers' records after the decision."""
    rng, height, epochs = stream(seed, "writes"), 0, count(1)
    unproven: list[int] = []
    done: list[list[Save]] = []
    for number in range(120):
        one: list[Save] = []
        match rng.choice(("record", "record", "forgotten", "voting", "agenda", "entry", "proof")):
            case "record":
                one.append(SaveRecord(digest(rng.randrange(40)), record(Kind.PREFERENCE, number)))
            case "forgotten":
                one.append(ForgetRecords((digest(rng.randrange(40)),)))
            case "voting":
                one.append(SaveVoting(height, digest(number), (record(Kind.STATEMENT, number),)))
            case "agenda":
                one.append(SaveAgenda(height, digest(number), b"agenda %d" % number))
            case "entry":
                asked = tuple(digest(question) for question in range(2 * height, 2 * height + 2))
                epoch = next(epochs) if rng.random() < 0.3 else None
                one.append(SaveEntry(height, digest(1_000 + height), b"entry %d" % height, asked, epoch))
                unproven.append(height)
                height += 1
            case "proof" if unproven:
                slot = unproven.pop(rng.randrange(len(unproven)))
                one.append(SaveStatements(slot, (record(Kind.STATEMENT, number),)))
        done.append(one)
    return done


@pytest.mark.parametrize("seed", range(5))
def test_a_start_finds_what_the_store_would_hold(tmp_path: Path, seed: int) -> None:
    """Else nodes would be tried on a disk that no machine has."""
    disk, store = HostDisk(), Store.open(tmp_path / "store", MOOT, NODE)
    for one in writes(seed):
        disk.save(one)
        store.save(one)
    assert disk.restored() == restored(store.load())
    for slot in range(disk.height):
        assert disk.proven_from(slot, 3, 1 << 20) == store.entries(slot, 3, 1 << 20)
    assert [disk.next_epoch(wall_ms) for wall_ms in (5, 3, 9)] == [store.next_epoch(wall_ms) for wall_ms in (5, 3, 9)]
    store.close()


def test_a_backup_keeps_what_was_there_and_nothing_later() -> None:
    """Else an old disk would be as good as a new one."""
    disk = HostDisk()
    first, *others = [one for one in writes(1) if one]
    disk.save(first)
    backup, before = disk.copy(), disk.restored()
    for one in others:
        disk.save(one)
    assert backup.restored() == before != disk.restored()
    assert backup.written < disk.written


def test_a_full_disk_takes_nothing() -> None:
    """Else a node would go on without having saved."""
    disk = HostDisk(full=True)
    with pytest.raises(DiskIsFull):
        disk.save([SaveRecord(digest(1), record(Kind.QUESTION, 1))])
    with pytest.raises(DiskIsFull):
        disk.next_epoch(1)
    with pytest.raises(DiskIsFull):
        disk.remember_members(())
    assert disk == HostDisk(full=True)

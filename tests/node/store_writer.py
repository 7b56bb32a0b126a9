"""A process that saves one numbered slot after the other and says so after each, until it is killed."""

import sys
from hashlib import sha256
from pathlib import Path

from coordinator.effects import SaveAgenda, SaveEntry, SaveRecord, SaveStatements, SaveVoting
from coordinator.signed import Kind, Signed
from node.store import Store

MOOT, NODE = b"m" * 32, b"n" * 32


def numbered(slot: int) -> bytes:
    return sha256(b"%d" % slot).digest()


def main(path: Path) -> None:
    store = Store.open(path, MOOT, NODE)
    print("epoch", store.next_epoch(0), flush=True)
    slot = store.load().height
    while True:
        statement = Signed(Kind.STATEMENT, NODE, b"%d" % slot, b"s" * 64)
        store.save([SaveVoting(slot, b"%d" % slot, (statement,)), SaveAgenda(slot, numbered(slot), bytes(3_000))])
        print("voted", slot, flush=True)
        store.save([SaveRecord(numbered(slot), Signed(Kind.QUESTION, NODE, b"%d" % slot, b"s" * 64))])
        store.save(
            [SaveEntry(slot, numbered(slot), bytes(3_000), (numbered(slot),)), SaveStatements(slot, (statement,))]
        )
        print("decided", slot, flush=True)
        slot += 1


if __name__ == "__main__":
    main(Path(sys.argv[1]))

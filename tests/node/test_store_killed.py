"""kill -9 at any moment: what the store acknowledged is there again, and nothing is there by half."""

import random
import select
import subprocess
import sys
import time
from pathlib import Path

from node.store import Store
from tests.node.store_writer import MOOT, NODE, numbered

ROUNDS = 8
REPOSITORY = Path(__file__).parents[2]


def acknowledged(path: Path, alive_s: float) -> list[tuple[str, int]]:
    """Let a writer run for a while after its first word, kill it, and give what it had said until then."""
    command = [sys.executable, "-m", "tests.node.store_writer", str(path)]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        try:
            assert select.select([writer.stdout], [], [], 30)[0], "the writer did not start"
            time.sleep(alive_s)
        finally:
            writer.kill()
        said = writer.stdout.read().decode()
    lines = (line.split() for line in said.splitlines(keepends=True) if line.endswith("\n"))
    return [(word, int(number)) for word, number in lines]


def test_what_was_acknowledged_survives_kill_9(tmp_path: Path) -> None:
    path = tmp_path / "moot.db"
    moments = random.Random(7)
    decided, voted, epoch = -1, -1, 0
    for _ in range(ROUNDS):
        for word, number in acknowledged(path, moments.uniform(0.0, 0.15)):
            match word:
                case "epoch":
                    assert number > epoch
                    epoch = number
                case "voted":
                    voted = number
                case "decided":
                    decided = number
        store = Store.open(path, MOOT, NODE)
        stored = store.load()
        assert stored.height > decided
        assert max((saved.slot for saved in stored.voting), default=-1) >= voted
        assert stored.unproven == (), "an entry and its proof were one save"
        assert len(store.entries(0, stored.height, 2**40)) == stored.height
        assert stored.decided == {numbered(slot) for slot in range(stored.height)}
        assert [saved.statements[0].body for saved in stored.voting] == [saved.state for saved in stored.voting]
        store.close()
    assert decided > ROUNDS, "the writer was killed before it got to work"

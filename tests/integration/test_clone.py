"""Two processes with one key: the older one stops, before the two contradict each other."""

import shutil
from pathlib import Path

from node.errors import Exit
from node.home import Home
from node.settings import load
from tests.integration.moots import LocalMoot


def test_a_node_stops_when_its_copy_runs(tmp_path: Path) -> None:
    """Somebody copied a home to another machine to move the node there, and forgot to stop it here."""
    with LocalMoot(tmp_path / "moot", ("abacus", "almanac", "sage")) as moot:
        moot.found("clone")
        moot.start_all()
        original, copy = Home(moot.home("abacus")), Home(moot.home("copy"))
        shutil.copytree(original.path, copy.path, ignore=shutil.ignore_patterns("*.sock", "lock", "*.log"))
        listen = load(original.settings).node.listen
        [port] = moot.free_ports(1)
        copy.settings.write_text(original.settings.read_text().replace(listen, f"127.0.0.1:{port}"))
        moot.start("copy")
        assert moot.wait_ended("abacus") == Exit.IDENTITY_IN_USE
        assert "stops" in moot.log("abacus").splitlines()[-1]
        question = moot.ask("copy", "What is 11 plus 12?")
        assert moot.ended(question, ("copy", "almanac", "sage"))["slot"] == 0

"""Moots of real processes for tests: started, killed, frozen, healed, and asked over their control sockets."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing, suppress
from pathlib import Path

from coordinator.ledger.agenda import Agenda
from coordinator.messages import LedgerEntry
from node import identity
from node.api import DecisionReport
from node.control_client import NodeDown, Refused
from node.founding import read_genesis
from node.home import Home
from node.lab.demo_federation import Federation
from node.model.reference import TEAM
from node.store import Store

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60
"""For what takes a second where nothing else runs."""
Ran = subprocess.CompletedProcess[str]


class LocalMoot(Federation):
    """Five nodes, called as their models."""

    def __init__(self, directory: Path, names: Sequence[str] = TEAM) -> None:
        super().__init__(directory, names)
        self._frozen: set[str] = set()

    def start_all(self) -> None:
        """Start whoever does not run, wake whoever is frozen, and wait until they are one moot."""
        for name in sorted(self._frozen):
            self.thaw(name)
        for name in self.names:
            if name not in self.running:
                self.start(name)
        self.wait_whole()

    def wait_whole(self) -> None:
        """Until everybody sees everybody alive, votes, and has the whole ledger."""
        self.wait_for("a whole moot", lambda: self._is_whole() or None, PATIENCE_S)

    def _is_whole(self) -> bool:
        reports = [self.client(name).status() for name in self.names]
        alive = all(report["members_alive"] == len(self.names) and not report["watching"] for report in reports)
        return alive and len({report["height"] for report in reports}) == 1

    def freeze(self, name: str) -> None:
        """Stop a node's process as a stalled machine would; its model's process goes on."""
        os.kill(self.pids[name], signal.SIGSTOP)
        self._frozen.add(name)

    def thaw(self, name: str) -> None:
        os.kill(self.pids[name], signal.SIGCONT)
        self._frozen.discard(name)

    def end(self, name: str) -> int:
        """Ask a node to stop as an operator does, and give its exit code."""
        self._processes[name].terminate()
        return self.wait_ended(name)

    def wait_ended(self, name: str) -> int:
        """The exit code of a node that ends by itself. One that does not is still ours to kill."""
        code = self._processes[name].wait(PATIENCE_S)
        del self._processes[name]
        return code

    def start_witness(self, name: str) -> Path:
        """Start one node so that it also writes down every statement that it hears; give the file."""
        heard = self.directory / f"{name}.heard"
        with Home(self.home(name)).log.open("ab") as log:
            self._processes[name] = subprocess.Popen(
                [sys.executable, "-m", "tests.integration.witness", str(self.home(name)), str(heard)],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return heard

    def ask(self, name: str, text: str, deadline_ms: int | None = None) -> str:
        """Put a question to a node and go away once it has taken it; give the question's id."""
        with closing(self.client(name).ask(text, "short", deadline_ms=deadline_ms)) as events:
            return next(events)["id"]

    def decided(self, question: str, names: Iterable[str] | None = None) -> DecisionReport:
        """The decision as the first of these nodes reports it, by default of all that run, once all have its proof."""
        report = self.ended(question, self.running if names is None else tuple(names))
        assert report["state"] == "decided", report["reason"]
        return report

    def ended(self, question: str, names: Sequence[str]) -> DecisionReport:
        """The same, also where the moot has agreed that there is no answer."""

        def found() -> DecisionReport | None:
            reports = [self.client(name).decision(question) for name in names]
            return reports[0] if all(one["slot"] is not None and one["signers"] for one in reports) else None

        return self.wait_for(f"the end of {question[:8]} at {', '.join(names)}", found, PATIENCE_S)

    def member_status(self, at: str, name: str) -> str:
        """How one node sees another."""
        return next(member["status"] for member in self.client(at).members() if member["name"] == name)

    def wait_seen(self, name: str, statuses: Sequence[str]) -> None:
        """Until every other running node that is awake sees this one so."""
        others = [other for other in self.running if other != name and other not in self._frozen]
        self.wait_for(
            f"{name} seen {' or '.join(statuses)}",
            lambda: all(self.member_status(other, name) in statuses for other in others) or None,
            PATIENCE_S,
        )

    def ledger(self, name: str) -> list[LedgerEntry]:
        """Every entry in the store of a node that does not run."""
        home = Home(self.home(name))
        store = Store.open(home.store, read_genesis(home.genesis).moot_id, identity.load(home.identity).node)
        with closing(store):
            entries = [store.entry(slot) for slot in range(store.load().height)]
        return [entry for entry in entries if entry is not None]

    def log(self, name: str) -> str:
        return Home(self.home(name)).log.read_text(errors="replace")

    def answers(self, name: str) -> bool:
        """Whether the node of this home can be talked to."""
        with suppress(NodeDown, Refused):
            self.client(name).status()
            return True
        return False


def common(report: DecisionReport) -> DecisionReport:
    """What every node must report alike: not what it measured itself, nor whose statements reached it first."""
    same = report.copy()
    same["model_ms"] = same["protocol_ms"] = None
    same["signers"] = []
    return same


def check_ledgers(moot: LocalMoot) -> list[list[LedgerEntry]]:
    """Entry by entry the same agendas on the disks of all; of stopped nodes."""
    ledgers = [moot.ledger(name) for name in moot.names]
    longest = max(ledgers, key=len)
    for name, ledger in zip(moot.names, ledgers, strict=True):
        for slot, (entry, expected) in enumerate(zip(ledger, longest, strict=False)):
            assert entry.agenda == expected.agenda, f"{name} decided otherwise in slot {slot}"
    questions = [item.id for entry in longest for item in Agenda.decode(entry.agenda).items]
    assert len(questions) == len(set(questions)), "a question was decided twice"
    return ledgers


def run_moot(*arguments: str, timeout_s: float = PATIENCE_S) -> Ran:
    """One command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "node", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=timeout_s
    )


def processes_of(home: Path) -> dict[int, str]:
    """Pid and command of every process that runs this home's node, or that such a process started."""
    parents, commands = {}, {}
    for entry in Path("/proc").iterdir():
        with suppress(OSError, IndexError):
            state, parent = (entry / "stat").read_text().rsplit(")", 1)[1].split()[:2]
            if entry.name.isdigit() and state != "Z":
                parents[int(entry.name)] = int(parent)
                commands[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
    roots = {pid for pid, command in commands.items() if str(home) in command}
    return {pid: command for pid, command in commands.items() if pid in roots or parents[pid] in roots}


def model_pid(home: Path) -> int:
    return next(pid for pid, command in processes_of(home).items() if "node.model.serving" in command)


def resident_kib(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))


def wait_until(true: Callable[[], bool], what: str) -> None:
    until = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < until, f"{what}: not within {PATIENCE_S} s"
        time.sleep(0.01)


def copy_store(home: Path, to: Path) -> None:
    """The store with its write-ahead log, as a backup of a stopped node takes it."""
    to.mkdir()
    for file in home.glob("moot.db*"):
        shutil.copy2(file, to / file.name)


def put_back_store(backup: Path, home: Path) -> None:
    for file in home.glob("moot.db*"):
        file.unlink()
    for file in backup.iterdir():
        shutil.copy2(file, home / file.name)

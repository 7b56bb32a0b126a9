"""A moot of several nodes on this machine, each a process of its own, as it would be on machines of their own."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from coordinator.ledger.genesis import Genesis
from node.control_client import ControlClient, NodeDown, Refused
from node.errors import NodeError
from node.founding import create_home, found, join, write_new
from node.home import Home

POLL_S = 0.002
STOP_WAIT_S = 5.0
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
LOG_TAIL_LINES = 15
PACKAGE_ROOT = Path(__file__).parents[2]

T = TypeVar("T")


class FederationFailed(NodeError):
    """A node ended, or something that must happen did not. The message holds the nodes' last words."""


class Federation:
    """Use it as a context: whatever it started has ended when the context is left, however that comes about."""

    def __init__(self, directory: Path, models: Sequence[str]) -> None:
        """Nodes are called as their reference models."""
        self.directory = directory
        self.names = tuple(models)
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._kept_ports = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.stop()
        finally:
            self._kept_ports.close()

    def home(self, name: str) -> Path:
        return self.directory / name

    @property
    def genesis_file(self) -> Path:
        return self.directory / "genesis.json"

    def found(self, moot_name: str) -> Genesis:
        """Make the homes, on free ports of the loopback, and found their moot."""
        cards = [
            create_home(
                self.home(name),
                name=name,
                listen=f"127.0.0.1:{port}",
                model=f"reference:{name}",
                organization=None,
                membership={"profile": "local"},
            )
            for name, port in zip(self.names, self.free_ports(len(self.names)), strict=True)
        ]
        genesis = found(moot_name, int(time.time() * 1000), cards)
        write_new(self.genesis_file, genesis.to_json())
        for name in self.names:
            join(Home.find(self.home(name)), genesis)
        return genesis

    def free_ports(self, count: int) -> list[int]:
        """Ports for nodes, kept until the context is left."""
        return self._kept_ports.enter_context(kept_ports(count))

    def start(self, name: str) -> int:
        """Start one node; return its process id at once."""
        with signals_later(), Home(self.home(name)).log.open("ab") as log:
            self._processes[name] = subprocess.Popen(
                [sys.executable, "-m", "node", "up", "--home", str(self.home(name))],
                cwd=self.directory,
                env=child_environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for us: we stop the nodes in good order
            )
        return self._processes[name].pid

    def kill(self, name: str) -> int:
        """End one node as a power cut would; return the process id that it had."""
        process = self._processes[name]
        process.kill()
        process.wait()
        return self._processes.pop(name).pid

    @property
    def running(self) -> tuple[str, ...]:
        return tuple(name for name in self.names if name in self._processes)

    @property
    def pids(self) -> dict[str, int]:
        """Process ids of the nodes that run."""
        return {name: self._processes[name].pid for name in self.running}

    def client(self, name: str) -> ControlClient:
        return ControlClient(self.home(name))

    def wait_for(self, what: str, value: Callable[[], T | None], timeout_s: float) -> T:
        """Ask until there is a value; a node that cannot answer yet gives none.

        Raises:
            FederationFailed: no value in time, or a node ended meanwhile.
        """
        until = time.monotonic() + timeout_s
        while True:
            with suppress(NodeDown, Refused):
                found = value()
                if found is not None:
                    return found
            self.check()
            if time.monotonic() > until:
                raise FederationFailed(f"{what}: not within {timeout_s:.0f} s\n{self._last_words(self.running)}")
            time.sleep(POLL_S)

    def check(self) -> None:
        """Raise FederationFailed if a node ended that nobody killed."""
        ended = [name for name, process in self._processes.items() if process.poll() is not None]
        if ended:
            codes = ", ".join(f"{name} (exit code {self._processes[name].returncode})" for name in ended)
            raise FederationFailed(f"ended by itself: {codes}\n{self._last_words(ended)}")

    def stop(self) -> None:
        """Ask every node to end; whoever does not is killed, with all that it started."""
        try:
            for process in self._processes.values():
                process.terminate()
            until = time.monotonic() + STOP_WAIT_S
            for process in self._processes.values():
                with suppress(subprocess.TimeoutExpired):
                    process.wait(max(0.0, until - time.monotonic()))
        finally:
            with signals_later():  # a second Ctrl-C cuts the waiting short, not this
                for process in self._processes.values():
                    _kill_session(process)
                self._processes.clear()

    def _last_words(self, names: Sequence[str]) -> str:
        words = []
        for name in names:
            log = Home(self.home(name)).log
            with suppress(OSError):
                tail = log.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:]
                words += [f"{log}:", *(f"  {line}" for line in tail)]
        return "\n".join(words)


def child_environment() -> dict[str, str]:
    """Ours without what the person set for a node of their own; from a source tree, the same sources."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("MOOT_")}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(PACKAGE_ROOT), os.environ.get("PYTHONPATH")]))
    return environment


@contextmanager
def signals_later() -> Iterator[None]:
    """Obey a signal to stop only after the block, so that no process is started and then not known."""
    came: list[int] = []
    before = {number: signal.signal(number, lambda number, _: came.append(number)) for number in STOP_SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if came:
            signal.raise_signal(came[0])


@contextmanager
def kept_ports(count: int) -> Iterator[list[int]]:
    """Free ports of the loopback, all different.

    On Linux nobody else is given them while the block lasts, also while nobody listens there: it lets a node listen
    where a socket is bound that does not listen itself, and gives such a port to nobody who asks for any.
    """
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            one.bind(("127.0.0.1", 0))
        ports = [one.getsockname()[1] for one in sockets]
        if sys.platform != "linux":
            stack.close()
        yield ports


def _kill_session(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()

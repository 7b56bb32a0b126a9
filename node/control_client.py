"""Speak to the running node of a home over its control socket. Standard library only: a command starts at once."""

import json
import os
import socket
import tempfile
import time
from base64 import b64decode
from collections.abc import Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from node.api import AskEvent, ChangeReport, DecisionReport, MemberReport, RevocationReport, RosterReport, StatusReport
from node.errors import Exit, HomeMissing, NodeError

SOCKET_NAME = "control.sock"
PLACE_NAME = "control.json"
"""Stands in a home of which the path is too long for a socket, and says where the socket is instead."""
SOCKET_PATH_MAX = 100
"""In bytes. Linux allows 107, macOS 103."""
REQUEST_SIZE_MAX = 128 * 1024
"""One request line: a question of full length with sixteen long options, every character escaped, fits."""
REPLY_SIZE_MAX = 32 * 1024 * 1024
"""One reply line: the largest is a certificate."""
REPLY_WAIT_S = 15.0
"""A node answers what it knows at once; only a question takes longer."""


class NodeDown(NodeError):
    """No node answers at this home's control socket."""

    exit_code = Exit.NODE_DOWN


class Refused(NodeError):
    """The node answered that it will not or cannot; message and exit code are the node's."""

    def __init__(self, message: str, code: Exit) -> None:
        super().__init__(message)
        self.exit_code = code


class StillOpen(NodeError):
    """The wait for a decision is over and the question is not."""

    exit_code = Exit.STILL_OPEN


def private_socket_directory() -> Path:
    """A new directory with a short path that only this user can enter."""
    parent = os.environ.get("XDG_RUNTIME_DIR", "")
    if not parent or not os.access(parent, os.W_OK) or len(os.fsencode(parent)) > SOCKET_PATH_MAX - 40:
        parent = tempfile.gettempdir()
    return Path(tempfile.mkdtemp(prefix="moot-", dir=parent))


def socket_path(home: Path) -> Path:
    """Where the node of this home listens, if it runs."""
    try:
        note = json.loads((home / PLACE_NAME).read_text())
        return Path(note["socket"])
    except (OSError, ValueError, KeyError, TypeError):
        return home / SOCKET_NAME


class ControlClient:
    """One home's node. Every method opens its own connection."""

    def __init__(self, home: Path) -> None:
        self._home = home

    def status(self) -> StatusReport:
        return cast(StatusReport, self._one("status"))

    def members(self) -> list[MemberReport]:
        return [cast(MemberReport, report) for report in self._reports("members", {})]

    def decisions(self, limit: int) -> list[DecisionReport]:
        return [cast(DecisionReport, report) for report in self._reports("decisions", {"limit": limit})]

    def decision(self, question: str) -> DecisionReport:
        return cast(DecisionReport, self._one("decision", question=question))

    def certificate(self, question: str) -> bytes:
        return b64decode(self._one("certificate", question=question)["certificate"], validate=True)

    def roster(self) -> RosterReport:
        return cast(RosterReport, self._one("roster"))

    def propose_change(
        self,
        cards: Sequence[Mapping[str, Any]] = (),
        remove: Sequence[str] = (),
        threshold: int | None = None,
        turnout: int | None = None,
        reason: str = "",
    ) -> ChangeReport:
        """Propose to add members, by their cards, and to remove others, by name; this member approves it."""
        wanted = {"threshold": threshold, "turnout": turnout, "reason": reason}
        return cast(ChangeReport, self._one("propose_change", cards=list(cards), remove=list(remove), **wanted))

    def approve_change(self, change: str) -> ChangeReport:
        return cast(ChangeReport, self._one("approve_change", change=change))

    def revoke(self, names: Sequence[str], reason: str) -> RevocationReport:
        return cast(RevocationReport, self._one("revoke", names=list(names), reason=reason))

    def ask(
        self,
        text: str,
        kind: str | None = None,
        options: Sequence[str] = (),
        deadline_ms: int | None = None,
        tally: str | None = None,
        wait_s: float | None = None,
        *,
        question_class: str | None = None,
        together: bool = False,
    ) -> Generator[AskEvent, None, None]:
        """Ask, and follow until the question ends.

        Without a `question_class` the node recognizes it among those that were measured; `together` asks all members,
        whatever was measured.

        Raises:
            StillOpen: `wait_s` seconds passed. The question goes on.
        """
        arguments = {
            "text": text,
            "kind": kind,
            "options": list(options),
            "deadline_ms": deadline_ms,
            "tally": tally,
            "question_class": question_class,
            "together": together,
        }
        return self._events("ask", arguments, wait_s)

    def follow(self, question: str, wait_s: float | None = None) -> Generator[AskEvent, None, None]:
        """As `ask`, for a question that was asked before."""
        return self._events("follow", {"question": question}, wait_s)

    def _one(self, call: str, **arguments: Any) -> dict[str, Any]:
        reports = list(self._reports(call, arguments))
        if len(reports) != 1:
            raise NodeDown(
                f"the node sent {len(reports)} reports to one {call!r}; are node and command of one version?"
            )
        return reports[0]

    def _reports(self, call: str, arguments: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        for reply in self._replies(call, arguments, REPLY_WAIT_S):
            yield reply["report"]

    def _events(self, call: str, arguments: Mapping[str, Any], wait_s: float | None) -> Generator[AskEvent, None, None]:
        for reply in self._replies(call, arguments, wait_s):
            yield reply["event"]

    def _replies(self, call: str, arguments: Mapping[str, Any], wait_s: float | None) -> Iterator[dict[str, Any]]:
        """Send one request, give each reply until the closing one."""
        until = None if wait_s is None else time.monotonic() + wait_s
        with self._connect() as connection:
            try:
                connection.sendall(json.dumps({"call": call, **arguments}).encode() + b"\n")
                for line in _lines(connection, until):
                    reply = json.loads(line)
                    if "error" in reply:
                        code = next((code for code in Exit if code == reply["exit"]), Exit.FAILED)
                        raise Refused(str(reply["error"]), code)
                    if "end" in reply:
                        return
                    yield reply
            except TimeoutError:
                if call in ("ask", "follow"):
                    raise StillOpen("the question is still open") from None
                raise NodeDown(f"the node at {self._home} did not answer within {REPLY_WAIT_S:.0f} s") from None
            except (OSError, ValueError) as error:
                raise NodeDown(f"the node at {self._home} went away: {error}") from error
        raise NodeDown(f"the node at {self._home} went away before it had answered in full")

    def _connect(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.settimeout(REPLY_WAIT_S)
            connection.connect(os.fspath(socket_path(self._home)))
        except OSError:
            connection.close()
            if not self._home.is_dir():
                raise HomeMissing(
                    f"there is no node at {self._home}; make one: moot init --home {self._home}"
                ) from None
            raise NodeDown(f"no node is running at {self._home}; start it: moot up --home {self._home}") from None
        return connection


def _lines(connection: socket.socket, until: float | None) -> Iterator[bytes]:
    """Whole lines as they arrive, until the other side closes.

    Raises:
        TimeoutError: the monotonic time `until` passed.
        ValueError: a line is too long.
    """
    pending = bytearray()
    while True:
        connection.settimeout(None if until is None else max(0.001, until - time.monotonic()))
        chunk = connection.recv(65_536)
        if not chunk:
            return
        pending += chunk
        while (end := pending.find(b"\n")) >= 0:
            yield bytes(pending[:end])
            del pending[: end + 1]
        if len(pending) > REPLY_SIZE_MAX:
            raise ValueError(f"a reply of more than {REPLY_SIZE_MAX} bytes")

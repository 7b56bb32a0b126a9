"""The control socket: the running node answers its own people on a unix socket that only their user can open.

One connection carries one request line and its reply lines, each a JSON object: {"report": ...} or {"event": ...} as
often as needed, then {"end": true}; or {"error": message, "exit": code}.
"""

import asyncio
import json
import logging
import os
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import aclosing, suppress
from pathlib import Path
from typing import Any, cast

from coordinator.ledger.roster import RosterError
from coordinator.records import QuestionError
from node.api import AskEvent, NodeApi
from node.control_client import (
    PLACE_NAME,
    REQUEST_SIZE_MAX,
    SOCKET_NAME,
    SOCKET_PATH_MAX,
    private_socket_directory,
)
from node.errors import Exit, NodeError

log = logging.getLogger(__name__)

CONNECTIONS_MAX = 64
"""At one time; every command is one, and one person does not type faster."""
REQUEST_WAIT_S = 10.0
"""How long a connection may stay silent before it has asked."""
DECISIONS_MAX = 1_000
"""In one reply."""

ARGUMENTS: dict[str, frozenset[str]] = {
    "status": frozenset(),
    "members": frozenset(),
    "ask": frozenset({"text", "kind", "options", "deadline_ms", "tally", "question_class", "together"}),
    "follow": frozenset({"question"}),
    "decisions": frozenset({"limit"}),
    "decision": frozenset({"question"}),
    "certificate": frozenset({"question"}),
    "roster": frozenset(),
    "propose_change": frozenset({"cards", "remove", "threshold", "turnout", "reason"}),
    "approve_change": frozenset({"change"}),
    "revoke": frozenset({"names", "reason"}),
}


class BadRequest(NodeError):
    """The request line is not one that this node understands."""

    exit_code = Exit.USAGE


class Busy(NodeError):
    """Too many connections at once."""


class ControlServer:
    """Serves one node. Start it once the node can answer; stop it first."""

    def __init__(self, api: NodeApi, home: Path) -> None:
        self._api = api
        self._home = home
        self._place: Path | None = None
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen. A socket left behind by a node that was killed is replaced: whoever starts holds the home."""
        note = self._home / PLACE_NAME
        note.unlink(missing_ok=True)
        self._place = self._home / SOCKET_NAME
        if len(os.fsencode(self._place)) > SOCKET_PATH_MAX:
            self._place = private_socket_directory() / SOCKET_NAME
        self._server = await asyncio.start_unix_server(self._accept, self._place, limit=REQUEST_SIZE_MAX)
        self._place.chmod(0o600)
        if self._place.parent != self._home:
            note.write_text(json.dumps({"socket": os.fspath(self._place)}) + "\n")

    async def stop(self) -> None:
        """Stop listening and cut off whoever still follows."""
        if self._server is None or self._place is None:
            return
        self._server.close()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        await self._server.wait_closed()
        self._place.unlink(missing_ok=True)
        if self._place.parent != self._home:
            (self._home / PLACE_NAME).unlink(missing_ok=True)
            with suppress(OSError):
                self._place.parent.rmdir()
        self._server = None

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = cast("asyncio.Task[None]", asyncio.current_task())
        self._connections.add(task)
        try:
            await self._converse(reader, writer)
        except (ConnectionError, TimeoutError, asyncio.CancelledError):
            pass  # The client went away or never spoke, or we stop: nobody is left to tell, and nothing is amiss.
        finally:
            self._connections.discard(task)
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = await _read_request(reader)
            if len(self._connections) > CONNECTIONS_MAX:  # Only now: a client that still writes would miss the refusal.
                raise Busy(f"{CONNECTIONS_MAX} commands are already talking to this node; try again")
            await self._answer_while_heard(request, reader, writer)
        except NodeError as error:
            await _send(writer, {"error": str(error), "exit": int(error.exit_code)})
        except QuestionError as error:
            await _send(writer, {"error": str(error), "exit": int(Exit.QUESTION_REFUSED)})
        except RosterError as error:
            await _send(writer, {"error": str(error), "exit": int(Exit.ROSTER_REFUSED)})
        except (ConnectionError, TimeoutError):
            raise
        except Exception:
            log.exception("control.failed")
            await _send(writer, {"error": "the node failed inside; its log says how", "exit": int(Exit.FAILED)})

    async def _answer_while_heard(
        self, request: dict[str, Any], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Answer until done, or until the client has closed its side: then only this answer is cancelled."""
        answer = asyncio.create_task(self._answer(request, writer))
        gone = asyncio.create_task(reader.read(1))
        try:
            await asyncio.wait({answer, gone}, return_when=asyncio.FIRST_COMPLETED)
            if not answer.done():
                raise ConnectionResetError
            await answer
        finally:
            answer.cancel()
            gone.cancel()
            await asyncio.gather(answer, gone, return_exceptions=True)

    async def _answer(self, request: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        api = self._api
        match request:
            case {"call": "status"}:
                await _send(writer, {"report": api.status()})
            case {"call": "members"}:
                for member in api.members():
                    await _send(writer, {"report": member})
            case {
                "call": "ask",
                "text": str(text),
                "kind": (str() | None) as kind,
                "options": [*options],
                "deadline_ms": (int() | None) as deadline_ms,
                "tally": (str() | None) as tally,
                "question_class": (str() | None) as question_class,
                "together": bool(together),
            } if all(isinstance(option, str) for option in options):
                asked = api.ask(text, kind, options, deadline_ms, tally, question_class, together)
                await _send_events(writer, asked)
            case {"call": "follow", "question": str(question)}:
                await _send_events(writer, api.follow(question))
            case {"call": "decisions", "limit": int(limit)} if 1 <= limit <= DECISIONS_MAX:
                for decision in api.decisions(limit):
                    await _send(writer, {"report": decision})
            case {"call": "decision", "question": str(question)}:
                await _send(writer, {"report": api.decision(question)})
            case {"call": "certificate", "question": str(question)}:
                certificate = b64encode(api.certificate(question)).decode()
                await _send(writer, {"report": {"certificate": certificate}})
            case {"call": "roster"}:
                await _send(writer, {"report": api.roster()})
            case {
                "call": "propose_change",
                "cards": [*cards],
                "remove": [*remove],
                "threshold": (int() | None) as threshold,
                "turnout": (int() | None) as turnout,
                "reason": str(reason),
            } if all(isinstance(card, dict) for card in cards) and all(isinstance(name, str) for name in remove):
                await _send(writer, {"report": api.propose_change(cards, remove, threshold, turnout, reason)})
            case {"call": "approve_change", "change": str(change)}:
                await _send(writer, {"report": api.approve_change(change)})
            case {"call": "revoke", "names": [*names], "reason": str(reason)} if all(
                isinstance(name, str) for name in names
            ):
                await _send(writer, {"report": api.revoke(names, reason)})
            case _:
                raise BadRequest(f"an argument of {request['call']!r} has a wrong type or is out of range")
        await _send(writer, {"end": True})


async def _read_request(reader: asyncio.StreamReader) -> dict[str, Any]:
    try:
        line = await asyncio.wait_for(reader.readuntil(b"\n"), REQUEST_WAIT_S)
    except asyncio.LimitOverrunError:
        raise BadRequest(f"a request of more than {REQUEST_SIZE_MAX} bytes") from None
    except asyncio.IncompleteReadError:
        raise ConnectionResetError from None
    try:
        request = json.loads(line)
    except (ValueError, RecursionError):
        raise BadRequest("the request is not JSON") from None
    call = request.get("call") if isinstance(request, dict) else None
    if not isinstance(call, str) or call not in ARGUMENTS:
        raise BadRequest(f"unknown call {str(call)[:40]!r}; this node knows {', '.join(sorted(ARGUMENTS))}")
    given = request.keys() - {"call"}
    if given != ARGUMENTS[call]:
        wrong = ", ".join(sorted(given ^ ARGUMENTS[call]))[:200]
        raise BadRequest(
            f"{call!r} takes {', '.join(sorted(ARGUMENTS[call])) or 'no arguments'}; unknown or missing: {wrong}"
        )
    return cast("dict[str, Any]", request)


async def _send_events(writer: asyncio.StreamWriter, events: AsyncIterator[AskEvent]) -> None:
    async with aclosing(cast(Any, events)) as following:
        async for event in following:
            await _send(writer, {"event": event})


async def _send(writer: asyncio.StreamWriter, reply: dict[str, Any]) -> None:
    writer.write(json.dumps(reply, ensure_ascii=False).encode() + b"\n")
    await writer.drain()

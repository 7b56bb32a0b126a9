"""Recorded conversations of `a` with its peers, in testdata/membership. `pytest --rewrite` records them anew.

A command is one of
    new [name=number ...] [seeds=b,c]   begin, with these settings
    answering b c                       from now on these answer pings at once
    until 5000                          run all timers up to this time
    b: gossip b/1, b/2 left, c suspects d/0, b/+1.0
    b: ping 5 | ack | nack | ping-req 7 of c within 400 | sync-request c/0/1   (ack and nack answer the last)
    lag 3000 | leave | meta text | unsent b | status
"""

import re
from pathlib import Path

import pytest

from coordinator.signed import Signed
from node.membership.events import Effect, Leave, Send, SendFailed, SetMeta, Status, Tick
from node.membership.messages import (
    Ack,
    Gossip,
    MembershipMessage,
    Nack,
    Ping,
    PingReq,
    SyncRequest,
)
from node.membership.settings import MembershipSettings
from tests.datadriven import run_script
from tests.node.membership.describe import describe
from tests.node.membership.solo import EPOCH, Solo

SCRIPTS = Path(__file__).parents[2] / "testdata" / "membership"
KEY = re.compile(r"(?P<node>\w+)/(\+(?P<epoch>\d+)\.)?(?P<incarnation>\d+)")
NONCE = b"n" * 16


class Script:
    """Carries out the commands of one file."""

    def __init__(self) -> None:
        self.solo = Solo()
        self.pings: dict[bytes, Ping] = {}
        """The last ping to each peer."""
        self.requests: dict[bytes, PingReq] = {}

    def execute(self, command: str) -> list[str]:
        word, _, rest = command.partition(" ")
        match word:
            case "new":
                self._begin(dict(option.split("=") for option in rest.split()))
                return []
            case "answering":
                self.solo.answering = frozenset(name.encode() for name in rest.split())
                return []
            case "until":
                return self._until(int(rest))
            case "lag":
                return self._step(Tick(int(rest)))
            case "leave":
                return self._step(Leave())
            case "meta":
                return self._step(SetMeta(rest.encode()))
            case "unsent":
                return self._step(SendFailed(rest.encode(), f"{rest}:1", local=True))
            case "status":
                return self._status()
            case _ if word.endswith(":"):
                sender = word[:-1].encode()
                return self._lines(self.solo.receive(sender, self._message(sender, rest)))
            case _:
                raise ValueError(f"unknown command {command!r}")

    def _begin(self, options: dict[str, str]) -> None:
        seeds = [(name.encode(), f"{name}:1") for name in options.pop("seeds", "").split(",") if name]
        numbers = {name: int(value) for name, value in options.items()}
        self.solo = Solo(seeds=seeds, settings=MembershipSettings(**numbers))

    def _until(self, to_ms: int) -> list[str]:
        lines: list[str] = []
        at_ms = -1
        for time_ms, effect in self.solo.advance_timed(to_ms):
            if time_ms != at_ms:
                at_ms = time_ms
                lines.append(f"at {at_ms}")
            lines += [f"  {line}" for line in self._lines([effect])]
        return lines

    def _step(self, event: Tick | Leave | SetMeta | SendFailed) -> list[str]:
        return self._lines(self.solo.step(event))

    def _status(self) -> list[str]:
        return [
            f"{view.node.decode()} {view.status.name} {view.epoch - EPOCH}.{view.incarnation}"
            f"{'' if view.verified else ' unverified'}"
            for view in self.solo.core.members()
        ]

    def _message(self, sender: bytes, text: str) -> MembershipMessage:
        word, _, rest = text.partition(" ")
        match word:
            case "gossip":
                return Gossip(tuple(self._item(item) for item in rest.split(", ")))
            case "ping":
                return Ping(int(rest), NONCE, sender)
            case "ack":
                ping, view = self.pings[sender], self.solo.view(sender)
                ack = self.solo.ack(sender, ping.prober, ping.nonce, view.incarnation, epoch=view.epoch)
                return Ack(ping.probe, ack)
            case "nack":
                request = self.requests[sender]
                return Nack(request.probe, request.target)
            case "ping-req":
                number, _, target, _, budget_ms = rest.split()
                return PingReq(int(number), NONCE, target.encode(), int(budget_ms))
            case "sync-request":
                entries = [line.split("/") for line in rest.split()]
                known = [self.solo.line(e[0].encode(), int(e[1]), int(e[2])) for e in entries]
                return SyncRequest(self.solo.record(sender), b"".join(known))
            case _:
                raise ValueError(f"unknown message {text!r}")

    def _item(self, text: str) -> Signed:
        found = KEY.search(text)
        assert found is not None, f"no node/incarnation in {text!r}"
        node, incarnation = found["node"].encode(), int(found["incarnation"])
        epoch = EPOCH + int(found["epoch"] or 0)
        if "suspects" in text:
            return self.solo.suspicion(text.split()[0].encode(), node, incarnation, epoch=epoch)
        status = Status.LEFT if text.endswith("left") else Status.ALIVE
        return self.solo.record(node, incarnation, status, epoch=epoch)

    def _lines(self, effects: list[Effect]) -> list[str]:
        for effect in effects:
            match effect:
                case Send(to=bytes() as to, message=Ping() as ping):
                    self.pings[to] = ping
                case Send(to=bytes() as to, message=PingReq() as request):
                    self.requests[to] = request
        return [describe(effect) for effect in effects]


@pytest.mark.parametrize("path", sorted(SCRIPTS.glob("*.txt")), ids=lambda path: path.stem)
def test_script(path: Path, rewrite: bool) -> None:
    """A line that changed is a change of what peers see: understand it before it is recorded."""
    run_script(path, Script().execute, rewrite=rewrite)


def test_there_are_scripts() -> None:
    assert len(list(SCRIPTS.glob("*.txt"))) >= 4

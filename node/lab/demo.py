"""The demo's story: five nodes meet, decide questions, lose one of them, get it back, and prove what they decided."""

import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path

from node.api import AskEvent, CostReport, DecisionReport
from node.control_client import NodeDown, StillOpen
from node.lab.demo_federation import Federation, FederationFailed, child_environment
from node.lab.demo_scenes import (
    Asked,
    CaughtUp,
    Checked,
    Ended,
    Exported,
    Finished,
    Founded,
    Heard,
    Killed,
    Met,
    Scene,
    Score,
    Seat,
    SeenDead,
    Waits,
)
from node.lab.demo_tasks import right_answer
from node.lab.skills import Task
from node.model import reference

MOOT_NAME = "demo"
QUESTIONS_MIN = 4
"""One before the kill, one during it, one while the node is away, one after its return."""
START_WAIT_S = 60.0
DEADLINE_MS = 5_000
"""To answer; many times what the reference models need, and short enough that nobody waits long for a lost cause."""
DECISION_WAIT_S = 30.0
DEATH_WAIT_S = 30.0
CATCH_UP_WAIT_S = 60.0
VERIFY_WAIT_S = 30.0


class Demo:
    """One performance. `play` gives the scenes as they happen."""

    def __init__(self, federation: Federation, tasks: Sequence[Task]) -> None:
        assert len(tasks) >= QUESTIONS_MIN
        self._federation = federation
        self._tasks = tasks
        self._ended: list[tuple[str, DecisionReport]] = []
        self._killed_at_s = 0.0
        self._height_before = 0
        """Of the killed node, before it was asked."""

    def play(self) -> Iterator[Scene]:
        """Every scene, in order.

        Raises:
            NodeError: something went wrong; the message says what, with the last words of the node concerned.
        """
        try:
            yield from self._scenes()
        except NodeDown:
            self._federation.check()  # says more, if the node has ended
            raise

    def _scenes(self) -> Iterator[Scene]:
        started_s = time.monotonic()
        yield self._found()
        yield Waits("the nodes start and look for each other")
        yield self._meet()
        names, count = self._federation.names, len(self._tasks)
        kill_at = count * 3 // 10
        back_at = min(kill_at + 3, count - 1)
        victim, missed = names[kill_at % len(names)], ""
        for number in range(count):
            if number == kill_at + 2:
                yield Waits(f"the others notice that {victim} is gone")
                yield self._notice_death(victim)
            if number == back_at:
                yield Waits(f"{victim} starts again and catches up")
                yield self._bring_back(victim, kill_at + 1, missed)
            if number == kill_at:
                missed = yield from self._ask_and_kill(number, victim)
                continue
            at = names[number % len(names)]
            yield from self._ask(number, at if at in self._federation.running else names[(number + 1) % len(names)])
        yield from self._prove(victim, kill_at + 1, missed)
        yield self._finish(started_s)

    def _found(self) -> Founded:
        genesis = self._federation.found(MOOT_NAME)
        seats = []
        for name in self._federation.names:
            card = reference.card(name)
            address = next(member.address for member in genesis.members if member.name == name)
            home = os.fspath(self._federation.home(name))
            seats.append(Seat(name, name, tuple(card["strong"]), card["parameters"], address, home))
        charter, moot = genesis.charter, genesis.moot_id.hex()
        directory = os.fspath(self._federation.directory)
        return Founded(directory, moot, genesis.name, charter.threshold, charter.turnout, tuple(seats))

    def _meet(self) -> Met:
        started_s = time.monotonic()
        names = self._federation.names
        pids = tuple(self._federation.start(name) for name in names)

        def all_see_all() -> bool | None:
            alive = [self._federation.client(name).status()["members_alive"] for name in names]
            return min(alive) == len(names) or None

        self._federation.wait_for("the nodes did not all see each other", all_see_all, START_WAIT_S)
        return Met(pids, time.monotonic() - started_s)

    def _ask(self, number: int, at: str) -> Iterator[Scene]:
        yield self._asked(number, at)
        events = self._put(number, at)
        decision = yield from _heard(events)
        yield self._end(number, at, decision)

    def _ask_and_kill(self, number: int, victim: str) -> Generator[Scene, None, str]:
        """Put a question to one node and kill it as soon as another one knows it; return the question's id."""
        witness = next(name for name in self._federation.names if name != victim)
        watching = self._federation.client(witness)
        self._height_before = self._federation.client(victim).status()["height"]
        yield self._asked(number, victim)
        asked_s = time.monotonic()
        events = self._put(number, victim)
        question = next(events)["id"]
        self._federation.wait_for(
            f"{witness} did not hear of the question", lambda: watching.decision(question)["id"], DECISION_WAIT_S
        )
        pid = self._federation.kill(victim)
        self._killed_at_s = time.monotonic()
        events.close()
        state = watching.decision(question)
        answered = state["answered"]
        yield Killed(victim, pid, question, witness, state["state"], answered, 1000 * (self._killed_at_s - asked_s))
        decision = yield from _heard(watching.follow(question, DECISION_WAIT_S))
        yield self._end(number, witness, decision)
        return question

    def _notice_death(self, victim: str) -> SeenDead:
        others = self._federation.running

        def all_hold_it_dead() -> bool | None:
            reports = [report for name in others for report in self._federation.client(name).members()]
            return {report["status"] for report in reports if report["name"] == victim} == {"dead"} or None

        self._federation.wait_for(f"the others did not notice that {victim} died", all_hold_it_dead, DEATH_WAIT_S)
        return SeenDead(victim, others, time.monotonic() - self._killed_at_s)

    def _bring_back(self, victim: str, number: int, missed: str) -> CaughtUp:
        """Start the killed node again, and wait until it knows every slot that was decided without it."""
        started_s = time.monotonic()
        witness = self._federation.client(next(name for name in self._federation.running if name != victim))
        height = witness.status()["height"]
        pid = self._federation.start(victim)
        back = self._federation.client(victim)
        self._federation.wait_for(
            f"{victim} did not catch up", lambda: back.status()["height"] >= height or None, CATCH_UP_WAIT_S
        )
        answer = back.decision(missed)["answer"]
        seconds = time.monotonic() - started_s
        return CaughtUp(victim, pid, height - self._height_before, height, number, missed, answer, seconds)

    def _prove(self, at: str, number: int, question: str) -> Iterator[Scene]:
        """Export from the node that was away, verify in another process, and see two forgeries refused."""
        client = self._federation.client(at)
        data = self._federation.wait_for(
            f"{at} has no certificate", lambda: client.certificate(question), DECISION_WAIT_S
        )
        file = self._federation.directory / "certificate.json"
        file.write_bytes(data)
        yield Exported(number, question, at, os.fspath(file), len(data))
        yield self._check(file, "")
        forged = self._federation.directory / "forged.json"
        for what, changed in forgeries(data):
            forged.write_bytes(changed)
            yield self._check(forged, what)

    def _check(self, file: Path, what: str) -> Checked:
        """Judge a file in a process that knows nothing of this one but the genesis beside the file."""
        ran = subprocess.run(
            [sys.executable, "-m", "node", "verify", os.fspath(file)],
            env=child_environment(),
            cwd=self._federation.directory,
            capture_output=True,
            text=True,
            timeout=VERIFY_WAIT_S,
            check=False,
        )
        if (ran.returncode == 0) is bool(what):
            raise FederationFailed(f"moot verify {file} left with {ran.returncode}: {ran.stdout}{ran.stderr}")
        return Checked(f"moot verify {shlex.quote(os.fspath(file))}", what, ran.returncode, ran.stdout, ran.stderr)

    def _asked(self, number: int, at: str) -> Asked:
        task = self._tasks[number]
        return Asked(number + 1, len(self._tasks), task.skill, task.text, task.options, at, right_answer(task))

    def _put(self, number: int, at: str) -> Generator[AskEvent, None, None]:
        task = self._tasks[number]
        return self._federation.client(at).ask(task.text, task.kind, task.options, DEADLINE_MS, wait_s=DECISION_WAIT_S)

    def _end(self, number: int, seen_at: str, decision: DecisionReport) -> Ended:
        expected = right_answer(self._tasks[number])
        self._ended.append((expected, decision))
        return Ended(number + 1, expected, decision, seen_at)

    def _finish(self, started_s: float) -> Finished:
        decisions = [decision for _, decision in self._ended]
        return Finished(
            right=sum(decision["answer"] == expected for expected, decision in self._ended),
            asked=len(self._ended),
            members=tuple(sorted(map(self._score, self._federation.names), key=lambda score: -score.right)),
            cost=_sum([decision["cost"] for decision in decisions]),
            model_ms=tuple(one["model_ms"] for one in decisions if one["model_ms"] is not None),
            protocol_ms=tuple(one["protocol_ms"] for one in decisions if one["protocol_ms"] is not None),
            seconds=time.monotonic() - started_s,
            directory=os.fspath(self._federation.directory),
            homes=tuple(os.fspath(self._federation.home(name)) for name in self._federation.names),
        )

    def _score(self, name: str) -> Score:
        """How often a member's own most frequent answer was right; to abstain is not to be right."""
        own = [
            (expected, part["answer"])
            for expected, decision in self._ended
            for part in decision["members"]
            if part["name"] == name and part["state"] != "silent"
        ]
        return Score(name, sum(answer == expected for expected, answer in own), len(own))


def forgeries(certificate: bytes) -> list[tuple[str, bytes]]:
    """What was changed, and the changed file: one bit of one byte each time."""
    what = "answer" if b'"answer": "' in certificate else "question"  # a question may end without an answer
    at_text = certificate.index(f'"{what}": "'.encode()) + len(f'"{what}": "')
    signature = certificate.index(json.loads(certificate)["statements"][0]["signature"].encode())
    digits = range(signature, signature + 128)
    at_digit = next(at for at in digits if certificate[at : at + 1].isdigit())  # it stays hexadecimal
    return [
        (f"one byte of the {what}", _flipped(certificate, at_text)),
        ("one byte of a signature", _flipped(certificate, at_digit)),
    ]


def _flipped(data: bytes, at: int) -> bytes:
    """With the lowest bit of one byte turned: digits and letters stay what they are."""
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def _heard(events: Iterator[AskEvent]) -> Generator[Scene, None, DecisionReport]:
    """Hand on what happens until the question ends; return its end."""
    try:
        for event in events:
            if "decision" in event:
                return event["decision"]
            yield Heard(event)
    except StillOpen:
        raise FederationFailed(f"a question was not decided within {DECISION_WAIT_S:.0f} s") from None
    raise FederationFailed("the node stopped telling about the question before it ended")


def _sum(costs: Sequence[CostReport]) -> CostReport:
    return CostReport(
        forward_passes=sum(cost["forward_passes"] for cost in costs),
        prompt_tokens=sum(cost["prompt_tokens"] for cost in costs),
        generated_tokens=sum(cost["generated_tokens"] for cost in costs),
        model_ms=sum(cost["model_ms"] for cost in costs),
    )

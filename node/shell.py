"""The shell around the cores: one loop, the clocks. It hands events in and carries effects out, saves before sends."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeAlias

from coordinator import effects as moot_effects
from coordinator import events as moot_events
from coordinator.effects import Dropped, Effect, Ended, Generate, Note, Progress, RosterChanged, Save, SendEntries
from coordinator.ledger.roster import RosterError
from coordinator.messages import ENTRIES_MAX, Entries, MootMessage
from coordinator.moot import Moot
from coordinator.records import QuestionError
from coordinator.signed import Digest, NodeId
from coordinator.voting.quorum import is_v_blocking
from node.errors import IdentityInUse
from node.membership import events as member_events
from node.membership.core import Membership
from node.membership.events import MemberChanged, MemberForgotten, RememberMembers
from node.membership.messages import MembershipMessage
from node.model.engine import Engine
from node.model.errors import ModelError
from node.model.requests import AdapterUse, GenerateRequest, Sampling
from node.store import Store
from node.transport.client import Outbox
from node.transport.wire import Message

log = logging.getLogger("moot")

INBOX_MAX = 10_000
"""Events that wait. Beyond it a peer's message is dropped, as a network may drop it; what it said comes again."""
STEP_MAX = 512
"""Events taken in one turn; their saves become one transaction."""
GENERATING_MAX = 4
"""Questions at the model at one time, where nothing says how many it serves at once; further ones wait here."""
CLOCK_STEP_MS = 1_000
"""A wall clock that moved so far against the monotonic one was set, or the machine slept; less is drift."""
REPLY_BYTES_MAX = 900 * 1024
"""Of ledger entries in one message."""

CLONE_RUNS = (
    "another node runs with this node's identity, or has since this one started; this one stops, as two that vote with"
    " one key contradict each other. Stop the other one, or make a new node: moot init"
)

REMOVED = "roster.removed"
"""The note of a core whose node the members have removed: its people have to hear of it."""

CoreEvent: TypeAlias = moot_events.Event | member_events.Event


def now_ms() -> int:
    """This node's monotonic clock."""
    return time.monotonic_ns() // 1_000_000


def wall_ms() -> int:
    """The wall clock, in milliseconds since 1970."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """How this member lets its model answer. Its own choice; a proposal records the temperature."""

    temperature_milli: int
    tokens_max: int
    stop: str = "\n"
    """Answers are one line: of what follows, nothing is read."""
    at_once: int = GENERATING_MAX
    """Questions at the model at one time. Further ones wait here: by their turn they may have been decided."""
    adapters: tuple[AdapterUse, ...] = ()


class Shell:
    """Runs one node's cores until it is told to stop."""

    def __init__(
        self,
        *,
        moot: Moot,
        membership: Membership,
        store: Store,
        outbox: Outbox,
        engine: Engine,
        model: ModelSettings,
        watch: Callable[[Progress | Ended | Dropped], None],
    ) -> None:
        self.moot = moot
        self.membership = membership
        self.store = store
        self._outbox = outbox
        self._engine = engine
        self._model = model
        self._watch = watch
        self._inbox: deque[CoreEvent] = deque()
        self._wake = asyncio.Event()
        self._generations: dict[Digest, asyncio.Task[None]] = {}
        """By question: what the model is asked, or will be in its turn."""
        self._generating = asyncio.Semaphore(model.at_once)
        self._left = asyncio.Event()
        self._stepped = asyncio.Event()
        """Set, and replaced by a new one, after every step."""
        self._wall_offset_ms = wall_ms() - now_ms()
        self._failure: Exception | None = None
        """What a step failed with: from then on there is no other."""
        self._outdated_for: set[NodeId] = set()
        """Peers that have heard a later start of our identity."""
        self.dropped = 0
        """Messages of peers that found the inbox full."""

    def deliver(self, sender: NodeId, messages: Sequence[Message]) -> None:
        """Take messages from the transport, which has checked who sent them."""
        for message in messages:
            if len(self._inbox) >= INBOX_MAX:
                self.dropped += 1
            elif isinstance(message, MembershipMessage):
                self._inbox.append(member_events.Received(sender, message))
            else:
                self._inbox.append(moot_events.Received(sender, message))
        self._wake.set()

    def post(self, event: CoreEvent) -> None:
        """Hand in an event from this node itself."""
        self._inbox.append(event)
        self._wake.set()

    def do(self, event: moot_events.Event | member_events.Revoke) -> None:
        """Step a core at once, so that what it refuses can be told to who asked.

        Raises:
            QuestionError, RosterError: the moot refuses; nothing has changed.
            NodeError: the step could not be saved. The core is ahead of the disk and takes no more steps; `run` ends.
        """
        if self._failure is not None:
            raise self._failure
        try:
            if isinstance(event, member_events.Revoke):
                self._perform(self.membership.step(event, now_ms()))
            else:
                self._perform(self.moot.step(event, now_ms()))
        except (QuestionError, RosterError):
            raise
        except Exception as error:
            self._failure = error
            raise
        finally:
            self._wake.set()

    def was_called_outdated(self, peer: NodeId) -> None:
        """A peer refuses our envelopes, as it has heard a later start of our identity.

        One peer may lie. When too many say so to form a quorum without them, this node could not take part any more.
        """
        self._outdated_for.add(peer)
        if self._failure is None and is_v_blocking(self.moot.ledger.roster.quorum_set, self._outdated_for):
            self._failure = IdentityInUse(CLONE_RUNS)
            self._wake.set()

    async def run(self) -> None:
        """Until cancelled. An error that a person has to know of ends it, before anything more is sent."""
        try:
            self._perform(self.moot.start(now_ms()))
            while True:
                due = self._next_deadline_ms()
                await self._wait(due)
                if self._failure is not None:
                    raise self._failure
                self._turn(due)
                await asyncio.sleep(0)  # A full inbox must not keep the transport from its turn.
        except Exception as error:
            self._failure = error
            raise

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait for something that a step of the cores brings about."""
        while not true():
            await self._stepped.wait()

    async def leave(self, wait_s: float) -> None:
        """Say goodbye to the members, and wait until they were told, or for the time given."""
        self.post(member_events.Leave())
        try:
            await asyncio.wait_for(self._left.wait(), wait_s)
        except TimeoutError:
            log.info("member.leave_unheard waited_ms=%d", int(wait_s * 1000))

    async def stop_generating(self) -> None:
        for task in self._generations.values():
            task.cancel()
        await asyncio.gather(*self._generations.values(), return_exceptions=True)

    def _next_deadline_ms(self) -> int:
        dues = [self.moot.next_deadline_ms(), self.membership.next_deadline_ms()]
        return min((due for due in dues if due is not None), default=now_ms() + 1_000)

    async def _wait(self, due_ms: int) -> None:
        if self._inbox:
            return
        self._wake.clear()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), max(0, due_ms - now_ms()) / 1_000)

    def _turn(self, due_ms: int) -> None:
        """One step of both cores over everything that waits, then all its effects: one transaction, then the sends."""
        now = now_ms()
        effects: list[Effect | member_events.Effect] = []
        wall_offset_ms = wall_ms() - now
        if abs(wall_offset_ms - self._wall_offset_ms) >= CLOCK_STEP_MS:
            log.info("clock.set by_ms=%d", wall_offset_ms - self._wall_offset_ms)
            self._wall_offset_ms = wall_offset_ms
            effects += self.membership.step(member_events.ClockSet(wall_offset_ms), now)
            effects += self.moot.step(moot_events.ClockSet(wall_offset_ms), now)
        for _ in range(min(len(self._inbox), STEP_MAX)):
            event = self._inbox.popleft()
            if isinstance(event, member_events.Event):
                effects += self.membership.step(event, now)
            else:
                effects += self.moot.step(event, now)
        effects += self.membership.step(member_events.Tick(max(0, now - due_ms)), now)
        effects += self.moot.step(moot_events.Tick(), now)
        self._perform(effects)

    def _perform(self, effects: Sequence[Effect | member_events.Effect]) -> None:
        self.store.save([effect for effect in effects if isinstance(effect, Save)])
        changed = False
        for effect in effects:
            match effect:
                case moot_effects.Send(to, message):
                    self._send(to, message)
                case member_events.Send(to, address, message):
                    self._outbox.send(to, address, message)
                case SendEntries(to, slot, until):
                    count = ENTRIES_MAX if until is None else min(ENTRIES_MAX, until - slot)
                    entries = self.store.entries(slot, count, REPLY_BYTES_MAX)
                    if entries:
                        self._send(to, Entries(slot, entries))
                case Generate():
                    self._generate(effect)
                case Progress(question) | Ended(question):
                    self._watch(effect)
                    self._stop_if_useless(question)
                case Dropped(item):
                    self._watch(effect)
                    self._stop_if_useless(item.id)
                case RosterChanged():
                    changed = True
                    for question in tuple(self._generations):
                        self._stop_if_useless(question)
                case MemberChanged(node, before, after):
                    changed = True
                    log.info(
                        "member.%s peer=%.8s before=%s",
                        after.name.lower(),
                        node.hex(),
                        before.name.lower() if before else "unknown",
                    )
                case MemberForgotten(node):
                    changed = True
                    self._outbox.drop(node)
                    log.info("member.forgotten peer=%.8s", node.hex())
                case RememberMembers(records):
                    self.store.remember_members(records)
                case Note(event, fields):
                    self._note(event, fields)
                case _:
                    pass  # A save: done above.
        if changed:
            self.post(moot_events.Reachable(self.membership.reachable()))
        self._stepped.set()
        self._stepped = asyncio.Event()

    def _send(self, to: NodeId, message: MootMessage) -> None:
        address = self.membership.address_of(to)
        if address is not None:
            self._outbox.send(to, address, message)

    def _generate(self, request: Generate) -> None:
        task = asyncio.create_task(self._ask_model(request))
        self._generations[request.question] = task
        task.add_done_callback(lambda _: self._generations.pop(request.question, None))

    def _stop_if_useless(self, question: Digest) -> None:
        """Give up what the model is asked once nobody waits for it: decided without us, too late, or dropped.

        It then costs no more tokens, and its place at the model is free at once.
        """
        task = self._generations.get(question)
        if task is not None and not task.cancelling() and not self.moot.questions.is_unanswered(question):
            log.info("model.stopped question=%.8s", question.hex())
            task.cancel()

    async def _ask_model(self, request: Generate) -> None:
        model = self._model
        async with self._generating:
            if not self.moot.questions.is_unanswered(request.question):
                return  # Decided without us while it waited, or its deadline passed.
            try:
                generated = await self._engine.generate(self._request(request))
                info = await self._engine.describe()
            except ModelError as error:
                log.warning("model.failed question=%.8s reason=%r", request.question.hex(), str(error))
                self.post(moot_events.ModelFailed(request.question, str(error)))
                return
        self.post(
            moot_events.Generated(
                request.question,
                generated.texts,
                info.weights,
                request.seed,
                model.temperature_milli,
                generated.account.cost(),
            )
        )

    def _request(self, request: Generate) -> GenerateRequest:
        """The model's time is shared fairly between those who ask."""
        model = self._model
        return GenerateRequest(
            prompt=request.prompt,
            samples=request.samples,
            tokens_max=model.tokens_max,
            sampling=Sampling(temperature=model.temperature_milli / 1_000, seed=request.seed),
            stop=(model.stop,) if model.stop else (),
            adapters=model.adapters,
            caller=self.moot.questions.sessions[request.question].record.author.hex(),
        )

    def _note(self, event: str, fields: tuple[tuple[str, str | int | bytes], ...]) -> None:
        shown = " ".join(f"{name}={_shown(value)}" for name, value in fields)
        log.log(logging.WARNING if event == REMOVED else logging.INFO, "%s %s", event, shown)
        if event == "leave.done":
            self._left.set()
        elif event == "clone.running":
            raise IdentityInUse(CLONE_RUNS)


def _shown(value: str | int | bytes) -> str:
    if isinstance(value, bytes):
        return value.hex()[:8]
    return repr(value) if isinstance(value, str) and not value.replace("_", "").isalnum() else str(value)

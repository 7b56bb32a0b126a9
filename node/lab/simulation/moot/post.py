"""The post between simulated machines: what one turn says to one peer travels together, may get lost or return."""

from collections.abc import Callable
from functools import partial

from coordinator.encoding import EncodingError
from node.lab.simulation.lies.liar import Message
from node.lab.simulation.links import Links
from node.lab.simulation.outcome import Violated
from node.lab.simulation.streams import stream
from node.lab.simulation.timeline import Timeline
from node.transport.rejections import Rejected
from node.transport.wire import pack_in_parts, unpack

OLD_MAX = 512
"""Letters kept for being delivered again: a sample of all that were ever sent, across restarts and slots."""
KEPT_EVERY = 5
"""Letters of which one is kept."""
REFUSED_MS = 2
"""How soon a sender hears that nobody listens where it sent to."""

Letter = tuple[int, int, tuple[Message, ...]]


class Post:
    """Machines are numbers here. A letter comes whole or not at all, as an envelope does."""

    def __init__(self, timeline: Timeline, links: Links, seed: int, *, wire: bool) -> None:
        self._timeline = timeline
        self._links = links
        self._rng = stream(seed, "replay")
        self._wire = wire
        self._packed: tuple[Message, tuple[Message, ...]] | None = None
        self._old: list[Letter] = []
        self.deliver: Callable[[int, int, tuple[Message, ...]], bool] = lambda sender, receiver, messages: False
        """Set by the world; false when nobody listens there."""
        self.refuse: Callable[[int, int], None] = lambda sender, receiver: None
        """Set by the world: tells a sender that nobody listened."""
        self.letters = 0
        self.messages = 0
        self.replayed = 0

    def send(self, sender: int, receiver: int, messages: tuple[Message, ...], *, honest: bool = True) -> None:
        if self._wire:
            messages = tuple(part for message in messages for part in self._through_the_wire(message, honest))
            if not messages:
                return
        self.letters += 1
        self.messages += len(messages)
        links, timeline = self._links, self._timeline
        for delay_ms in links.delays(sender, receiver, timeline.now_ms):
            timeline.after(delay_ms, partial(self._arrive, sender, receiver, messages))
        if self.letters % KEPT_EVERY == 0 or not self._old:
            self._keep((sender, receiver, messages))
        if links.replays():
            old = self._rng.choice(self._old)
            self.replayed += 1
            timeline.after(1 + self._rng.randrange(50), partial(self._arrive_again, old))

    def _arrive(self, sender: int, receiver: int, messages: tuple[Message, ...]) -> None:
        self._links.arrived(sender, receiver)
        if not self.deliver(sender, receiver, messages):
            self._timeline.after(REFUSED_MS, partial(self.refuse, sender, receiver))

    def _arrive_again(self, letter: Letter) -> None:
        self.deliver(*letter)

    def _keep(self, letter: Letter) -> None:
        """A full sample lets go of a random one."""
        if len(self._old) < OLD_MAX:
            self._old.append(letter)
        else:
            self._old[self._rng.randrange(OLD_MAX)] = letter

    def _through_the_wire(self, message: Message, honest: bool) -> tuple[Message, ...]:
        """What its receiver reads out of the bytes. The newest is remembered: most messages go to several peers."""
        if self._packed is not None and self._packed[0] is message:
            return self._packed[1]
        read: list[Message] = []
        try:
            parts = pack_in_parts(message)
        except EncodingError as error:
            if honest:
                raise Violated("codec", f"{type(message).__name__} cannot be packed: {error}") from error
            return ()
        for part in parts:
            unpacked = unpack(part)
            if isinstance(unpacked, Rejected):
                if honest:
                    raise Violated("codec", f"{type(message).__name__} cannot be read: {unpacked.detail}")
                continue
            read += unpacked
        if honest and len(parts) == 1 and read != [message]:
            raise Violated("codec", f"{type(message).__name__} reads otherwise than it was written")
        self._packed = message, tuple(read)
        return self._packed[1]

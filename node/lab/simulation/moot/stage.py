"""Where a liar stands in a simulated moot: its own key, the network, and nothing else."""

import random
from collections.abc import Callable

from coordinator.ledger.genesis import Genesis
from coordinator.signed import Kind, NodeId, Signed, Signer
from node.lab.simulation.lies.liar import Message
from node.lab.simulation.moot.host import Host
from node.lab.simulation.moot.post import Post
from node.lab.simulation.timeline import Timeline


class Stage:
    """Whatever it sends is told to come from it. Once it is silent it does nothing any more."""

    def __init__(
        self,
        host: Host,
        signer: Signer,
        genesis: Genesis,
        numbers: dict[NodeId, int],
        post: Post,
        timeline: Timeline,
        rng: random.Random,
    ) -> None:
        self.node = host.node
        self.others = tuple(member.node for member in genesis.members if member.node != host.node)
        self.rng = rng
        self.genesis = genesis
        self.silent = False
        self._host = host
        self._signer = signer
        self._numbers = numbers
        self._post = post
        self._timeline = timeline
        self._epoch = host.clock.wall_ms(timeline.now_ms)

    @property
    def now_ms(self) -> int:
        return self._host.clock.monotonic_ms(self._timeline.now_ms)

    @property
    def wall_ms(self) -> int:
        return self._host.clock.wall_ms(self._timeline.now_ms)

    @property
    def epoch(self) -> int:
        """Of the process, where it runs cores."""
        return self._epoch if self._host.process is None else self._host.process.epoch

    def sign(self, kind: Kind, body: bytes) -> Signed:
        return self._signer.sign(kind, body)

    def send(self, to: NodeId, message: Message) -> None:
        number = self._numbers.get(to)
        if not self.silent and number is not None and number != self._host.number:
            self._post.send(self._host.number, number, (message,), honest=False)

    def after(self, delay_ms: int, act: Callable[[], None]) -> None:
        def unless_silent() -> None:
            if not self.silent:
                act()

        self._timeline.after(delay_ms, unless_silent)

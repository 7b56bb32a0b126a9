"""What the simulator gives to a member that lies, and what it asks of one."""

import random
from collections.abc import Callable
from typing import Protocol, TypeAlias

from coordinator.ledger.genesis import Genesis
from coordinator.messages import MootMessage
from coordinator.signed import Kind, NodeId, Signed
from coordinator.voting import QuorumSet, Statement
from node.membership.messages import MembershipMessage

Message: TypeAlias = MootMessage | MembershipMessage


class StatementStage(Protocol):
    """Where a liar stands in a run of federated voting alone. Statements carry their author, so none can be forged."""

    node: NodeId
    others: tuple[NodeId, ...]
    rng: random.Random
    quorum_sets: dict[NodeId, QuorumSet]
    """Everybody's."""

    @property
    def now_ms(self) -> int: ...

    @property
    def slot(self) -> int: ...

    def send(self, to: NodeId, statement: Statement) -> None:
        """The statement need not be sane, so it may have no encoding: hand it over as it is."""
        ...

    def after(self, delay_ms: int, act: Callable[[], None]) -> None: ...


class StatementLiar(Protocol):
    """With `runs_core` the world runs an honest slot for it, and all that this would send goes through `alter`."""

    runs_core: bool

    def hear(self, statement: Statement) -> None:
        """A statement arrived (the honest slot, if there is one, gets it too)."""
        ...

    def alter(self, to: NodeId, statement: Statement) -> list[Statement]:
        """What is sent to this member in place of what the honest slot would send; it need not be sane either."""
        ...


class MootStage(Protocol):
    """Where a liar stands in a moot. It holds its own key and nobody else's."""

    node: NodeId
    others: tuple[NodeId, ...]
    rng: random.Random
    genesis: Genesis

    @property
    def now_ms(self) -> int: ...

    @property
    def wall_ms(self) -> int: ...

    @property
    def epoch(self) -> int:
        """Of this process: what its member record says."""
        ...

    def sign(self, kind: Kind, body: bytes) -> Signed: ...

    def send(self, to: NodeId, message: Message) -> None:
        """The recipient is told truly who sent it: the transport has checked that."""
        ...

    def after(self, delay_ms: int, act: Callable[[], None]) -> None: ...


class MootLiar(Protocol):
    """With `runs_core` the world runs honest cores for it, and all that these would send goes through `alter`."""

    runs_core: bool

    def hear(self, sender: NodeId, message: Message) -> None: ...

    def alter(self, to: NodeId, message: Message) -> list[tuple[NodeId, Message]]:
        """What is sent, and to whom, in place of what the honest cores would send."""
        ...

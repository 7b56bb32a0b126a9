"""What all simulated machines share: time, the post, the moot that they founded, and the checks that look on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from coordinator.effects import Ended, Save
from coordinator.ledger.genesis import Genesis
from coordinator.messages import MootMessage
from coordinator.signed import NodeId, Verifier
from node.lab.simulation.moot.post import Post
from node.lab.simulation.moot.process import Process
from node.lab.simulation.timeline import Timeline
from node.lab.simulation.watch import Watch
from node.membership.events import MemberChanged

if TYPE_CHECKING:
    from node.lab.simulation.moot.host import Host


def address_of(number: int) -> str:
    return f"host{number}:7000"


class Checks(Protocol):
    """Sees everything that a machine does, before the machine does it."""

    def started(self, host: "Host", process: "Process") -> None: ...

    def saved(self, host: "Host", saves: Sequence[Save]) -> None:
        """These are on disk now."""
        ...

    def sends(self, host: "Host", message: MootMessage) -> None: ...

    def ended(self, host: "Host", ended: Ended) -> None: ...

    def cloned(self, host: "Host") -> None:
        """Its process stops, as another seems to run with its key."""
        ...

    def changed(self, host: "Host", change: MemberChanged) -> None: ...

    def forgotten(self, host: "Host", node: NodeId) -> None: ...

    def turned(self, host: "Host") -> None:
        """One turn is over."""
        ...


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a machine is given beside its own parts."""

    seed: int
    timeline: Timeline
    post: Post
    genesis: Genesis
    numbers: dict[NodeId, int]
    addresses: dict[str, int]
    verifier: Verifier
    checks: Checks
    watch: Watch

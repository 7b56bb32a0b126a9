"""The disk of one member in a run of slots, and what a crash leaves of it."""

from dataclasses import dataclass, field, replace

from coordinator.voting import Externalize, SlotState
from node.lab.simulation.faults import Crash, Disk


@dataclass(slots=True)
class Platter:
    """What is written on it."""

    ledger: list[bytes] = field(default_factory=list)
    proofs: list[dict[bytes, Externalize]] = field(default_factory=list)
    """By slot and author: what shows others that it is decided."""
    state: SlotState | None = None
    values: set[bytes] = field(default_factory=set)
    """Those of the slot that runs."""

    def decide(self, value: bytes, proofs: dict[bytes, Externalize]) -> None:
        self.ledger.append(value)
        self.proofs.append(proofs)
        self.state = None
        self.values = set()

    def copied(self) -> "Platter":
        """A backup. It holds no state of the slot that runs, with which nobody may go on."""
        return replace(self, ledger=list(self.ledger), proofs=list(self.proofs), state=None, values=set())

    def after(self, crash: Crash, backup: "Platter") -> "Platter":
        """What the node finds when it starts again; another object where it cannot be what it wrote last."""
        torn = crash.disk is Disk.TORN and crash.effects >= 0
        if torn or crash.disk is Disk.WIPED:
            return Platter()  # Of what was synced and is torn nothing can be believed.
        return backup.copied() if crash.disk is Disk.OLD else self

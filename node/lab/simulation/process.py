"""One run of a simulated node: the production cores, put together as `node.parts` does."""

from dataclasses import dataclass

from coordinator.agenda_driver import VotingSettings
from coordinator.ledger.genesis import Genesis
from coordinator.moot import Moot
from coordinator.signed import Signer, Verifier
from node.lab.simulation.disk import HostDisk
from node.lab.simulation.streams import stream
from node.membership.core import Membership
from node.membership.events import Seed
from node.membership.settings import MembershipSettings


@dataclass(slots=True)
class Process:
    """One run of the node."""

    moot: Moot
    membership: Membership
    epoch: int

    def due_ms(self) -> int | None:
        moot, membership = self.moot.next_deadline_ms(), self.membership.next_deadline_ms()
        if moot is None or membership is None:
            return membership if moot is None else moot
        return min(moot, membership)


def run_cores(
    *,
    seed: int,
    life: str,
    genesis: Genesis,
    signer: Signer,
    verifier: Verifier,
    disk: HostDisk,
    address: str,
    epoch: int,
    monotonic_ms: int,
    wall_ms: int,
) -> Process:
    """Both cores as they start on what this disk holds. `life` names the run among all of the seed."""
    node, offset_ms = signer.node, wall_ms - monotonic_ms
    moot = Moot(
        signer=signer,
        verifier=verifier,
        genesis=genesis,
        settings=VotingSettings(),
        rng=stream(seed, f"moot/{life}"),
        wall_offset_ms=offset_ms,
        restored=disk.restored(),
        now_ms=monotonic_ms,
    )
    membership = Membership(
        signer=signer,
        verifier=verifier,
        settings=MembershipSettings.lan(),
        rng=stream(seed, f"membership/{life}"),
        epoch=epoch,
        address=address,
        meta=b"",
        admit=genesis.by_node.__contains__,
        seeds=[Seed(member.node, member.address) for member in genesis.members if member.node != node],
        remembered=disk.members,
        wall_offset_ms=offset_ms,
        now_ms=monotonic_ms,
    )
    return Process(moot, membership, epoch)

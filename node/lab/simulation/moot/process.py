"""One run of a simulated node: the production cores, put together as `node.parts` does."""

from collections.abc import Sequence
from typing import TypeAlias

from coordinator import effects as moot_effects
from coordinator import events as moot_events
from coordinator.agenda_driver import VotingSettings
from coordinator.ledger.genesis import Genesis
from coordinator.moot import Moot
from coordinator.signed import Signer, Verifier
from node.lab.simulation.moot.disk import HostDisk
from node.lab.simulation.streams import stream
from node.membership import events as member_events
from node.membership.core import Membership
from node.membership.events import Seed
from node.membership.settings import MembershipSettings
from node.shell import CoreEvent

Effect: TypeAlias = moot_effects.Effect | member_events.Effect


class Process:
    """One run of the node. When its cores want to be woken is asked once after each step: nothing else changes it."""

    __slots__ = ("_membership_due_ms", "_moot_due_ms", "epoch", "membership", "moot", "wall_offset_ms")

    def __init__(self, moot: Moot, membership: Membership, epoch: int, wall_offset_ms: int) -> None:
        self.moot = moot
        self.membership = membership
        self.epoch = epoch
        self.wall_offset_ms = wall_offset_ms
        """As the cores know it."""
        self._moot_due_ms = moot.next_deadline_ms()
        self._membership_due_ms = membership.next_deadline_ms()

    def due_ms(self) -> int | None:
        moot, membership = self._moot_due_ms, self._membership_due_ms
        if moot is None or membership is None:
            return membership if moot is None else moot
        return moot if moot < membership else membership

    def start(self, now_ms: int) -> Sequence[Effect]:
        effects = self.moot.start(now_ms)
        self._moot_due_ms = self.moot.next_deadline_ms()
        return effects

    def step(self, event: CoreEvent, now_ms: int) -> Sequence[Effect]:
        """Step the core that the event is for.

        Raises:
            QuestionError: there is no room for another question.
        """
        effects: Sequence[Effect]
        if isinstance(event, member_events.Event):
            effects = self.membership.step(event, now_ms)
            self._membership_due_ms = self.membership.next_deadline_ms()
        else:
            effects = self.moot.step(event, now_ms)
            self._moot_due_ms = self.moot.next_deadline_ms()
        return effects

    def set_clock(self, wall_offset_ms: int, now_ms: int) -> list[Effect]:
        self.wall_offset_ms = wall_offset_ms
        effects = list(self.step(member_events.ClockSet(wall_offset_ms), now_ms))
        return effects + list(self.step(moot_events.ClockSet(wall_offset_ms), now_ms))

    def tick(self, lag_ms: int, now_ms: int) -> list[Effect]:
        """Wake the cores that asked for it.

        `node.shell` ticks both in every turn. Here one that wanted no tick gets none: whoever lives on ticks that
        others asked for would die in a quiet moot.
        """
        effects: list[Effect] = []
        if lag_ms or (self._membership_due_ms is not None and self._membership_due_ms <= now_ms):
            effects += self.step(member_events.Tick(lag_ms), now_ms)
        if self._moot_due_ms is not None and self._moot_due_ms <= now_ms:
            effects += self.step(moot_events.Tick(), now_ms)
        due_ms = self.due_ms()
        assert due_ms is None or due_ms > now_ms, "a deadline in the past would fire for ever"
        return effects


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
        admit=moot.ledger.has_known,
        seeds=[Seed(member.node, member.address) for member in moot.ledger.roster.members if member.node != node],
        remembered=disk.members,
        wall_offset_ms=offset_ms,
        now_ms=monotonic_ms,
        operator_of=lambda one: genesis.roster.by_node[one].organization if one in genesis.roster.by_node else "",
    )
    return Process(moot, membership, epoch, offset_ms)

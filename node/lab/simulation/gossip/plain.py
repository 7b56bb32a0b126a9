"""SWIM as it was before Lifeguard, for comparison: the same core with Lifeguard's three parts off, as far as they go.

Settings take away the local health that slows a sick prober down, and make every suspicion its shortest at once. What a
member does when it notices that it did not run is no setting: `PlainMembership` does not notice. The buddy rule (a
suspect learns of its suspicion with the next ping) stays on, and so does that only a member's own countdown declares
another dead; both make this SWIM better than the published one, and our advantage over it smaller.
"""

from dataclasses import replace

from node.membership.core import Membership
from node.membership.events import Event
from node.membership.settings import MembershipSettings


def plain(settings: MembershipSettings) -> MembershipSettings:
    """The same without local health and without suspicions that begin long and shrink."""
    return replace(settings, health_max=0, suspicion_max_factor=1, suspicion_confirmations=0)


class PlainMembership(Membership):
    """Trusts its clock: it takes acks that it could not read in time for acks that never came."""

    def _feel_lag(self, event: Event, since_ms: int) -> None:
        pass

"""The ballot protocol's variables, the changes that keep them consistent, and the statement that tells them."""

from dataclasses import dataclass
from enum import Enum

from coordinator.voting.statement import INFINITY, NO_BALLOT, Ballot, BallotStatement, Confirm, Externalize, Prepare


class Phase(Enum):
    PREPARE = "prepare"
    CONFIRM = "confirm"
    EXTERNALIZE = "externalize"


@dataclass(slots=True)
class BallotState:
    phase: Phase = Phase.PREPARE
    b: Ballot | None = None  # current ballot
    p: Ballot | None = None  # highest ballot accepted prepared
    p_prime: Ballot | None = None  # highest ballot accepted prepared that is incompatible with p
    h: Ballot | None = None  # highest: confirmed prepared, then accepted commit, then confirmed commit
    c: Ballot | None = None  # lowest: voted commit, then accepted commit, then confirmed commit
    value_override: bytes | None = None  # z: the value that the next ballot must carry

    def is_aborted(self, ballot: Ballot) -> bool:
        """Whether a ballot accepted prepared gives up committing this one."""
        p, q = self.p, self.p_prime
        return (p is not None and p.aborts(ballot)) or (q is not None and q.aborts(ballot))

    def set_prepared(self, ballot: Ballot) -> bool:
        """Accept a ballot as prepared; whether p or p′ changed. A vote to commit what this aborts is withdrawn."""
        before = self.p, self.p_prime
        if self.p is None:
            self.p = ballot
        elif self.p < ballot:
            if self.p.value != ballot.value:
                self.p_prime = self.p
            self.p = ballot
        elif self.p.aborts(ballot) and (self.p_prime is None or self.p_prime < ballot):
            self.p_prime = ballot
        if self.c is not None and self.h is not None and self.is_aborted(self.h):
            assert self.phase is Phase.PREPARE, "an accepted commit cannot be withdrawn"
            self.c = None
        return before != (self.p, self.p_prime)

    def set_ballot(self, ballot: Ballot) -> bool:
        """Move to a ballot; whether its counter differs from the last."""
        moved = self.b is None or self.b.counter != ballot.counter
        self.b = ballot
        if self.h is not None and self.h.value != ballot.value:
            self.h = self.c = None  # h ≲ b must hold; both are found again from the statements
        return moved

    def set_committing(self, c: Ballot, h: Ballot) -> bool:
        """Accept or confirm to commit c..h; whether the ballot's counter changed.

        Who accepts to commit h accepts that value prepared, so p is of that value already; it may be lower than h
        where others accepted a range above it. If more members lie than the slices tolerate p may be of another value
        or none, and is corrected here, so that nothing that a peer sends can break an invariant.
        """
        self.c, self.h, self.value_override = c, h, h.value
        if self.p is None or self.p.value != h.value:
            of_value = self.p_prime is not None and self.p_prime.value == h.value
            self.p = self.p_prime if of_value else h
        self.p_prime = None
        if self.b is None or not self.b.covers(h):
            return self.set_ballot(h)
        return False

    def problem(self) -> str | None:
        """The invariant of the protocol that does not hold, or None."""
        b, p, q, h, c = self.b, self.p, self.p_prime, self.h, self.c
        for ballot in (b, p, q, h, c):
            if ballot is not None and ballot.counter < 1:
                return "a ballot's counter starts at 1"
        if q is not None and (p is None or not p.aborts(q)):
            return "p′ is below p and incompatible with it"
        if h is not None and (b is None or not b.covers(h)):
            return "h ≲ b"
        if c is not None and (h is None or not h.covers(c)):
            return "c ≲ h"
        if c is not None and h is not None and self.is_aborted(h):
            return "no vote to commit what was aborted"
        if self.phase is not Phase.PREPARE and (
            c is None or h is None or p is None or p.value != h.value or q is not None
        ):
            return "once committing, c and h are set, p is of their value, and there is no p′"
        return None

    def check(self) -> None:
        """An invariant that fails is a bug of ours, whatever peers said."""
        found = self.problem()
        assert found is None, found

    def statement(self, node: bytes, slot: int, digest: bytes) -> BallotStatement:
        """This state as a statement; its ballot is NO_BALLOT while there is none."""
        self.check()
        b, p, h, c = self.b, self.p, self.h, self.c
        if self.phase is Phase.PREPARE:
            n_c, n_h = (x.counter if x is not None else 0 for x in (c, h))
            return Prepare(node, slot, digest, b or NO_BALLOT, p, self.p_prime, n_c, n_h)
        assert b is not None and p is not None and h is not None and c is not None
        if self.phase is Phase.CONFIRM:
            return Confirm(node, slot, digest, b, p.counter, c.counter, h.counter)
        return Externalize(node, slot, digest, c, h.counter)

    @classmethod
    def restored(cls, statement: BallotStatement, value_override: bytes | None) -> "BallotState":
        """The state that a node's last statement told, as it goes on from after a restart.

        Raises ValueError where no node can have been in that state.
        """
        match statement:
            case Prepare(ballot=b, prepared=p, prepared_prime=q, n_c=n_c, n_h=n_h):
                h = Ballot(n_h, b.value) if n_h else None
                c = Ballot(n_c, b.value) if n_c else None
                override = value_override or (b.value if n_h else None)
                state = cls(Phase.PREPARE, b, p, q, h, c, override)
            case Confirm(ballot=b, n_p=n_p, n_c=n_c, n_h=n_h):
                x = b.value
                state = cls(Phase.CONFIRM, b, Ballot(n_p, x), None, Ballot(n_h, x), Ballot(n_c, x), x)
            case Externalize(commit=c, n_h=n_h):
                top = Ballot(INFINITY, c.value)
                state = cls(Phase.EXTERNALIZE, top, top, None, Ballot(n_h, c.value), c, c.value)
        found = state.problem()
        if found is not None:
            raise ValueError(f"the saved statement breaks an invariant: {found}")
        return state

"""Nomination in one slot: rounds, round leaders, votes X, accepted Y, candidates Z (SCP white paper, section 6.1)."""

from coordinator.voting.accept import Votes
from coordinator.voting.context import Context
from coordinator.voting.driver import Timer, Validity
from coordinator.voting.effects import LeadersChosen, NewCandidate, NewComposite
from coordinator.voting.leaders import TAG_VALUE, Lottery
from coordinator.voting.newness import is_newer
from coordinator.voting.statement import VALUES_MAX, Nominate, problem, values

VOTES_CHOSEN_MAX = 48  # proposed or echoed; the rest of the 64 a statement holds stays free for what others accept
ECHOES_MAX = 8  # from one leader in one round, so that one that floods cannot fill the list before others are heard


class Nomination:
    """One node's part in finding values to vote on. It stops voting for new ones once a candidate is known."""

    def __init__(self, context: Context) -> None:
        self.started = False
        self.round = 0
        self.leaders: frozenset[bytes] = frozenset()  # of all rounds so far
        self.voted: set[bytes] = set()  # X
        self.accepted: set[bytes] = set()  # Y, within X
        self.candidates: set[bytes] = set()  # Z, within Y
        self.candidate_seen = False  # Z is, or before a restart was, not empty
        self.composite: bytes | None = None
        self.votes: Votes[Nominate] = Votes(context.quorum_set, context.lookup)
        self.emitted: Nominate | None = None
        self.deadline_ms: int | None = None
        self.own: Nominate | None = None  # newest, perhaps not sent yet
        self._proposal: bytes | None = None
        self._echoed: dict[bytes, int] = {}  # by leader, in this round
        self._composed_from: frozenset[bytes] = frozenset()
        self._context = context
        driver, slot = context.driver, context.slot
        self._lottery = Lottery(
            context.node, context.quorum_set, driver.weight, lambda tag, n, data: driver.priority(slot, tag, n, data)
        )

    def nominate(self, proposal: bytes | None) -> None:
        """Start with `proposal`, or None to only echo leaders; later, replace it while nothing has been voted for."""
        self._proposal = proposal if proposal is not None else self._proposal
        if self.candidate_seen:
            return
        if self.started:
            self._publish(self._propose())
            return
        self.started = True
        self.start_round()
        self.revisit()  # What was recorded before the start may by now be acceptable.

    def start_round(self) -> None:
        """Begin the next round: more leaders, their values, the node's own if it leads, and a timer."""
        assert self.started and not self.candidate_seen, "a timer runs only while values are sought"
        self.round, self.leaders = self._lottery.advance(self.round, self.leaders)
        self._context.notes.append(LeadersChosen(self._context.slot, self.round, tuple(sorted(self.leaders))))
        self._echoed = {}
        changed = False
        for leader in sorted(self.leaders):
            changed |= self._echo(leader)
        changed |= self._propose()
        self.deadline_ms = self._context.due_ms(Timer.NOMINATION, self.round)
        self._publish(changed)

    def receive(self, statement: Nominate) -> str | None:
        """Play a sane statement of another node; why it was ignored, or None. Before the start it is only recorded.

        A value that is not valid does not make the statement worthless: a valid variation of it may be voted for.
        """
        old = self.votes.latest.get(statement.node)
        if old is not None and not is_newer(old, statement):
            return "stale"
        if not self.votes.has_room(statement.node):
            return "too many senders"
        self.votes.record(statement)
        if self.started:
            self._settle(statement)
        return None

    def revisit(self) -> None:
        """Draw every conclusion again: nomination began, or values or quorum sets may have become known.

        A leader is only echoed if nothing of its was usable before in this round; else each call would echo one more.
        """
        if not self.started:
            return
        changed = False
        for statement in self.votes:
            changed |= self._accept(values(statement))
        self._confirm()
        if not self.candidate_seen:
            for leader in sorted(self.leaders - self._echoed.keys()):
                changed |= self._echo(leader)
            changed |= self._propose()
        self._publish(changed)

    def stop(self) -> None:
        """The slot is decided."""
        self.started = False
        self.deadline_ms = None

    def restore(
        self, statement: Nominate | None, round_now: int, leaders: frozenset[bytes], candidate_seen: bool
    ) -> None:
        """Go on from what was saved before a restart; only on a fresh protocol (stellar-core issue 2081).

        Leaders are restored as they were, since whom the node weighs 0 may have changed. `candidate_seen` keeps a node
        that had stopped voting for new values from starting again.
        """
        assert not self.votes.latest and not self.started, "only a fresh slot can be restored"
        self.round, self.leaders, self.candidate_seen = round_now, leaders, candidate_seen
        self.started = round_now > 0
        if statement is None:
            return
        self.voted, self.accepted = set(statement.votes), set(statement.accepted)
        self.emitted = self.own = statement
        if self._context.voting:
            self.votes.record(statement)

    def resume(self) -> None:
        """Arm the timer again after a restart."""
        if self.started and not self.candidate_seen:
            self.deadline_ms = self._context.due_ms(Timer.NOMINATION, self.round)

    def compose(self) -> bytes | None:
        """The composite of the candidates, if it is another than before."""
        if not self.candidates or self._composed_from == self.candidates:
            return None
        made = self._context.driver.combine(self._context.slot, sorted(self.candidates))
        if made is None:
            return None  # Not possible yet; asked again at the next event.
        self._composed_from = frozenset(self.candidates)
        if made == self.composite:
            return None
        self.composite = made
        self._context.notes.append(NewComposite(self._context.slot, made))
        return made

    def take_emission(self) -> Nominate | None:
        """The statement that this event leaves to be sent, if any; from now on it counts as sent."""
        if not self._context.voting or self.own == self.emitted:
            return None
        self.emitted = self.own
        return self.own

    def _settle(self, statement: Nominate) -> None:
        """Take every step that `statement`, just recorded, allows, and then those that the node's own does."""
        changed = self._accept(values(statement))
        self._confirm()
        if not self.candidate_seen and statement.node in self.leaders:
            changed |= self._echo(statement.node)
        self._publish(changed)

    def _publish(self, changed: bool) -> None:
        """Record X and Y as the node's own newest statement, as if received. It ends, as both only grow to a bound."""
        while changed:
            context = self._context
            own = Nominate(
                context.node, context.slot, context.digest, tuple(sorted(self.voted)), tuple(sorted(self.accepted))
            )
            assert (found := problem(own)) is None, f"own statement is not sane: {found}"
            assert self.own is None or is_newer(self.own, own), "own statement is not newer than the last"
            self.own = own
            if context.voting:  # A watcher's opinion counts for nobody, not even for itself.
                self.votes.record(own)
            changed = self._accept(values(own))
            self._confirm()

    def _accept(self, among: tuple[bytes, ...]) -> bool:
        """Accept what a v-blocking set accepts or a quorum votes for; whether X or Y grew."""
        changed = False
        for value in among:
            if value in self.accepted or not self._accepts(value):
                continue
            usable = self._usable(value)
            if usable is None or not (usable in self.voted or len(self.voted) < VALUES_MAX):
                continue
            if usable != value and self.candidate_seen:
                continue  # A variation would be a new vote.
            changed |= usable not in self.voted
            self.voted.add(usable)
            if usable == value:  # A variation was not what they accepted, so it is only voted for.
                self.accepted.add(value)
                changed = True
        return changed

    def _confirm(self) -> None:
        """Make candidates of what a quorum accepts; the first ends the search for new values."""
        for value in sorted(self.accepted - self.candidates):
            if self._confirms(value):
                self.candidates.add(value)
                self.candidate_seen = True
                self.deadline_ms = None
                self._context.notes.append(NewCandidate(self._context.slot, value))

    def _echo(self, leader: bytes) -> bool:
        """Vote for one new value of a leader's: the highest by hash, from what it accepts if any of that is usable."""
        statement = self.votes.latest.get(leader)
        if statement is None or leader == self._context.node:
            return False
        if len(self.voted) >= VOTES_CHOSEN_MAX or self._echoed.get(leader, 0) >= ECHOES_MAX:
            return False
        for named in (statement.accepted, statement.votes):
            usable = [found for value in named if (found := self._usable(value)) is not None]
            new = sorted(value for value in usable if value not in self.voted)
            if new:
                driver, slot = self._context.driver, self._context.slot
                self.voted.add(max(new, key=lambda value: driver.priority(slot, TAG_VALUE, self.round, value)))
                self._echoed[leader] = self._echoed.get(leader, 0) + 1
                return True
            if usable:
                return False
        return False

    def _propose(self) -> bool:
        """Vote for the node's own value if it leads and has nothing else to vote for.

        It stays the only own one, however good a later one is: every round adds leaders to be echoed, so what finds a
        quorum need not come from here, while a second own value would only be one more for all to agree on.
        """
        value = self._proposal
        if value is None or self.voted or self._context.node not in self.leaders:
            return False
        if not self._context.is_full(value, nomination=True):
            return False
        self.voted.add(value)
        return True

    def _accepts(self, value: bytes) -> bool:
        return self.votes.accept(lambda s: value in s.votes, lambda s: value in s.accepted)

    def _confirms(self, value: bytes) -> bool:
        return self.votes.confirm(lambda s: value in s.accepted)

    def _usable(self, value: bytes) -> bytes | None:
        """The value itself where it is known to be valid, or a valid variation of an invalid one."""
        match self._context.driver.validate(self._context.slot, value, True):
            case Validity.FULL:
                return value
            case Validity.INVALID:
                return self._context.driver.extract_valid(self._context.slot, value)
            case Validity.MAYBE:
                return None

"""What a running node answers to its own people: the face behind the command line and every later gateway.

Reports are plain dictionaries of JSON values, because they leave the process; their shapes are the TypedDicts here.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, NotRequired, Protocol, TypedDict


class CostReport(TypedDict):
    forward_passes: int
    prompt_tokens: int
    generated_tokens: int
    model_ms: float


class AnswerReport(TypedDict):
    """One roster member's part in a question."""

    node: str
    name: str
    state: str
    """answered, abstained, silent, or contradicted (it signed two different preferences and is not counted)"""
    answer: str | None
    """Its proposal: the most frequent of its samples."""
    counts: list[tuple[str, int]]
    """How its samples fell."""
    samples: int
    model: str | None
    """SHA-256 of its model's file; None without a proposal."""
    points: list[tuple[str, int]]
    """Its preference."""
    cost: CostReport


class AloneReport(TypedDict):
    """One member alone was asked, as it was measured to be right more often than all together."""

    question_class: str
    member: str
    why: str
    """In one line, for people."""
    failed: bool
    """It gave no answer, so all were asked after it."""


class DecisionReport(TypedDict):
    """One question, open or ended."""

    id: str
    text: str
    kind: str
    options: list[str]
    asked_by: str
    asked_ms: int
    tally: str
    state: str
    """open, decided, no_quorum"""
    answer: str | None
    reason: str | None
    """Plain words when there is no answer, for example: no quorum: 2 of 5 members answered by the deadline"""
    scores: list[tuple[str, int]]
    tied: list[str]
    answered: int
    turnout: int
    members: list[AnswerReport]
    cost: CostReport
    slot: int | None
    signers: list[str]
    """Names of the members of which externalize statements prove the slot; empty while the proof is not complete."""
    model_ms: float | None
    """Wall time here from asking to the last preference counted; None where this node did not see it happen."""
    protocol_ms: float | None
    """Wall time here from ready to proven; None where this node did not see it happen."""
    alone: NotRequired[AloneReport]
    """At the end of what was asked here, where the node chose one member by itself."""


class MemberReport(TypedDict):
    node: str
    name: str
    organization: str
    status: str
    """alive, suspect, dead, left, revoked (its key counts no more here), or unknown (in the roster, never heard of)"""
    compatible: bool | None
    """Whether it speaks a version of the protocol that this node speaks; None where it was never heard of."""
    address: str
    incarnation: int
    rtt_ms: float | None
    last_heard_ms: int | None
    """Milliseconds ago."""
    itself: bool
    height: int | None
    """Decided slots as that member last reported them."""
    contradicted: list[int]
    """Slots in which it is proven to have contradicted itself."""


class StatusReport(TypedDict):
    node: str
    name: str
    in_roster: bool
    """False for a node that was not added yet or was removed: it follows, and neither asks nor votes."""
    epoch: int
    """How often the roster has changed."""
    moot: str
    moot_name: str
    address: str
    height: int
    open_questions: int
    members_alive: int
    members: int
    model: dict[str, Any]
    """state (up, down, starting), name, digest, parameters, restarts"""
    contradicted: dict[str, list[int]]
    """Members by name that are proven to have contradicted themselves, with the slots."""
    threshold: int
    """How many members must vote for a quorum."""
    watching: bool
    """True while this node follows without voting."""
    uptime_ms: int


class SeatReport(TypedDict):
    """One member of the roster, as it was added."""

    node: str
    name: str
    organization: str
    weight: int
    address: str


class ChangeReport(TypedDict):
    """An open change of the roster."""

    id: str
    epoch: int
    """Of the roster that it changes."""
    proposed_by: str
    reason: str
    created_ms: int
    added: list[SeatReport]
    removed: list[str]
    members: int
    """How many there will be."""
    threshold: int
    turnout: int
    rules: dict[str, list[Any]]
    """What changes in the charter: [before, after] by name."""
    approved_by: list[str]
    needed: int
    """How many must approve it."""
    approved_here: bool


class RosterReport(TypedDict):
    epoch: int
    since_slot: int
    in_roster: bool
    """Whether this node is a member."""
    threshold: int
    turnout: int
    members: list[SeatReport]
    changes: list[ChangeReport]
    """Open ones, the oldest first."""


class RevokedReport(TypedDict):
    node: str
    name: str
    """Empty for a key that never sat in the roster."""
    reason: str


class RevocationReport(TypedDict):
    """This node's list of revoked keys, as published."""

    node: str
    """Who signed it."""
    name: str
    sequence: int
    revoked: list[RevokedReport]
    dropped: list[RevokedReport]
    """What its list before named and this one does not: a list that revokes its own signer names nobody else."""
    own_key: bool
    """Whether this node's own key is on it: then nobody listens to this node any more."""


class AskEvent(TypedDict):
    """What happens to a question, as it happens."""

    event: str
    """asked, alone, together, proposed, preferred, ready, voting, decided, no_quorum

    alone: the node chose one member of which alone the answer counts, for what it has measured of such questions.
    together: that member gave none, and from here on all are asked; the id is another one.
    """
    id: str
    member: NotRequired[str]
    """Name of the member, with proposed and preferred."""
    answer: NotRequired[str | None]
    counts: NotRequired[list[tuple[str, int]]]
    samples: NotRequired[int]
    decision: NotRequired[DecisionReport]
    """With decided and no_quorum."""
    note: NotRequired[str]
    """With alone and together, in one line for people; also with asked, where what was measured cannot be used."""


class NodeApi(Protocol):
    """Raises NodeError (node.errors) with a message for people; ids may be given as hex prefixes of 4 or more."""

    def status(self) -> StatusReport: ...

    def members(self) -> list[MemberReport]: ...

    def ask(
        self,
        text: str,
        kind: str | None,
        options: Sequence[str],
        deadline_ms: int | None,
        tally: str | None,
        question_class: str | None,
        together: bool,
    ) -> AsyncIterator[AskEvent]:
        """Ask, and follow until it ends. Leaving early does not stop the question.

        Without a kind it is a choice where there are options, else short. Where one member alone was measured to be
        right more often than all together, in questions of this class, only its answer counts, unless a tally is named
        or the answer of all is wanted; without a class it is recognized from the text.
        """
        ...

    def follow(self, question: str) -> AsyncIterator[AskEvent]:
        """Follow a question that was asked before, here or elsewhere, until it ends."""
        ...

    def decisions(self, limit: int) -> list[DecisionReport]:
        """The newest first; open questions before decided ones."""
        ...

    def decision(self, question: str) -> DecisionReport: ...

    def certificate(self, question: str) -> bytes:
        """The certificate file of a decided question."""
        ...

    def roster(self) -> RosterReport:
        """Who counts, and the open changes of that."""
        ...

    def propose_change(
        self,
        cards: Sequence[Mapping[str, Any]],
        remove: Sequence[str],
        threshold: int | None,
        turnout: int | None,
        reason: str,
    ) -> ChangeReport:
        """Propose to add members, by their cards, and to remove others, by name; this member approves it.

        Without threshold and turnout they are those of a moot newly founded with as many members.
        """
        ...

    def approve_change(self, change: str) -> ChangeReport: ...

    def revoke(self, names: Sequence[str], reason: str) -> RevocationReport:
        """Publish a list that revokes these members' keys, by name or id, beside those of this node's earlier lists.

        Without names it revokes this node's own key alone, for ever. Ids need 8 digits here.
        """
        ...

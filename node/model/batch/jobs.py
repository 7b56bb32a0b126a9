"""What the batcher is asked for, jobs of one prompt with several branches; what there is room for; what comes back."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import NamedTuple

from node.model.results import Account


@dataclass(frozen=True, slots=True)
class Sample:
    """A branch whose tokens are drawn one by one, at most `tokens_max`, which is at least 1."""

    tokens_max: int

    @property
    def cells(self) -> int:
        """What it may hold besides the prompt: the last token is drawn and never evaluated."""
        return self.tokens_max - 1


@dataclass(frozen=True, slots=True)
class Follow:
    """A branch whose tokens are known, at least one, and whose likelihood is read.

    Args:
        closed: read also how likely the answer ends after them.
    """

    tokens: tuple[int, ...]
    closed: bool = False

    @property
    def cells(self) -> int:
        """What it holds besides the prompt: the last token is evaluated only to see what comes after it."""
        return len(self.tokens) - (not self.closed)


Branch = Sample | Follow


@dataclass(frozen=True, slots=True)
class Job:
    """One prompt, evaluated once, and what is wanted after it.

    Args:
        id: unlike that of any job that is waiting or running.
        caller: whose it is; callers share the model fairly.
        prompt: at least one token.
        branches: may be none where `look` is true.
        look: the logits after the prompt are wanted for themselves.
        adapters: which ones, with which scales, in any form that can be compared and hashed. A forward pass has one
            such set, and prompts are shared only within one.
        deadline_ms: on the clock of whoever calls `expired`; None for none.
    """

    id: int
    caller: str
    prompt: tuple[int, ...]
    branches: tuple[Branch, ...]
    look: bool = False
    adapters: Hashable = ()
    deadline_ms: int | None = None

    def __post_init__(self) -> None:
        assert self.prompt, "nothing can be drawn after an empty prompt"
        assert self.branches or self.look, "nothing is wanted after the prompt"
        for branch in self.branches:
            assert branch.cells >= 0, "a branch has at least one token"

    @property
    def cells(self) -> int:
        """The most that it can hold at once."""
        return len(self.prompt) + sum(branch.cells for branch in self.branches)


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What the model's context can take.

    Args:
        sequences: that it can tell apart, at least 2. Twice running_max is plenty for what runs; each further one can
            keep a prompt for later.
        cells: tokens that its cache can hold.
        batch_tokens: of one forward pass.
        running_max: samples that advance at once; less than batch_tokens, so that a prompt never stands still.
        cached_cells_max: cells that prompts which nobody uses may keep, divided by the number of those in use. Every
            pass looks at all cells that are held, so a large cache of prompts costs time as well as memory.
        chunk_tokens: of prompts in one pass while samples run: how long they let themselves be delayed by newcomers.
        gather_tokens: while samples run, prompts of fewer tokens together wait for others, but for no more passes than
            half as many as samples run: alone in a pass, a short prompt costs more. 0 for no waiting.
        can_cut: a sequence can forget its last tokens. A recurrent state cannot, and can only be copied whole.
        outputs_max: of one forward pass, more than running_max; each takes memory the size of the vocabulary. None for
            as many as there are tokens.
    """

    sequences: int
    cells: int
    batch_tokens: int
    running_max: int
    cached_cells_max: int
    chunk_tokens: int
    gather_tokens: int = 0
    can_cut: bool = True
    outputs_max: int | None = None

    def __post_init__(self) -> None:
        assert self.sequences >= 2, "one for a prompt and one for a branch"
        assert self.cells >= 1 and self.running_max >= 1 and self.chunk_tokens >= 1 and self.cached_cells_max >= 0
        assert self.gather_tokens >= 0
        assert self.batch_tokens > self.running_max, "a pass full of samples leaves no prompt a token"
        assert self.outputs_max is None or self.outputs_max > self.running_max, "nor an output"


class Drawn(NamedTuple):
    """What was drawn for one branch. A plain tuple: there is one for every running sample in every pass.

    Args:
        ends: the branch is over with it: the model ended its answer, a stop text is complete, or nobody waits for it.
    """

    token: int
    ends: bool


@dataclass(frozen=True, slots=True)
class Finished:
    """A job whose branches are all over. In its account no time is counted: there is no clock here."""

    job_id: int
    account: Account

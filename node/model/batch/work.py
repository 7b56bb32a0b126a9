"""A job on its way: what is left of it to do, and what it took so far."""

from collections import deque
from dataclasses import dataclass, field

from node.model.batch.jobs import Follow, Job, Sample
from node.model.batch.trunk import Trunk, packed
from node.model.results import Account


@dataclass(slots=True, eq=False)
class Spent:
    """As node.model.results.Account has it."""

    forward_passes: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    generated_tokens: int = 0
    decoded_tokens: int = 0

    def add(self, other: "Spent") -> None:
        self.forward_passes += other.forward_passes
        self.prompt_tokens += other.prompt_tokens
        self.cached_tokens += other.cached_tokens
        self.generated_tokens += other.generated_tokens
        self.decoded_tokens += other.decoded_tokens

    def account(self) -> Account:
        return Account(
            forward_passes=self.forward_passes,
            prompt_tokens=self.prompt_tokens,
            cached_tokens=self.cached_tokens,
            generated_tokens=self.generated_tokens,
            decoded_tokens=self.decoded_tokens,
        )


@dataclass(slots=True, eq=False)
class Work:
    """A job, from its submission to its end."""

    job: Job
    number: int
    """In the order of submission."""
    data: bytes
    """The prompt, packed."""
    cost: int
    """Tokens charged to the caller when the job begins: all it may take."""
    places: int
    """Of running_max: its samples that are not over, but at least 1."""
    promised: int
    """Cells kept for its branches that are not over."""
    unfinished: int
    """Branches."""
    unstarted: int = 0
    """Branches that will need a sequence and have none yet."""
    overtaken: int = 0
    """Tokens of the jobs that began while this one was waiting for cells, though it was its turn."""
    trunk: Trunk | None = None
    """None while it waits."""
    runners: "list[Runner]" = field(default_factory=list)
    """Branches in a sequence."""
    follows: "deque[Runner]" = field(default_factory=deque)
    """Branches of known tokens that wait until others of this job are over."""
    latest: int = 0
    """Number of the latest pass that it took part in, counted from 1."""
    spent: Spent = field(default_factory=Spent)


def work_of(job: Job, number: int) -> Work:
    samples = sum(isinstance(branch, Sample) for branch in job.branches)
    promised = sum(branch.cells for branch in job.branches)
    return Work(
        job=job,
        number=number,
        data=packed(job.prompt),
        cost=len(job.prompt) + promised,
        places=max(1, samples),
        promised=promised,
        unfinished=len(job.branches),
    )


@dataclass(slots=True, eq=False)
class Runner:
    """A branch that goes on after the prompt."""

    work: Work
    index: int
    cells: int
    left: int = 0
    """Tokens that may still be drawn."""
    token: int = -1
    """Drawn last, evaluated next."""
    position: int = 0
    """Where it goes."""
    follow: Follow | None = None
    sequence: int = -1
    """-1 while it waits for one."""
    over: bool = False

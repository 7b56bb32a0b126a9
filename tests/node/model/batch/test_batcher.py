"""Whatever is submitted, cancelled, expired or failed in whatever room: the driver and the memory check every plan."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from node.model.batch.jobs import Branch, Follow, Job, Room, Sample
from tests.node.model.batch.driver import Driver

TOKENS_MAX = 14
BEGINNINGS = (
    (),
    tuple(range(1, 10)),
    tuple(range(1, 10)) + tuple(range(50, 62)),
    tuple(range(1, 10)) + tuple(range(70, 90)),
    tuple(range(30, 60)),
)
"""Prompts that have much in common, and some that are others' beginnings."""

rooms = st.builds(
    Room,
    sequences=st.integers(2, 12),
    cells=st.integers(60, 300),
    batch_tokens=st.integers(6, 40),
    running_max=st.integers(1, 5),
    cached_cells_max=st.sampled_from([0, 20, 100, 300]),
    chunk_tokens=st.integers(1, 40),
    can_cut=st.booleans(),
    outputs_max=st.one_of(st.none(), st.integers(6, 10)),
)
branches = st.one_of(
    st.builds(Sample, st.integers(1, TOKENS_MAX)),
    st.builds(Follow, st.lists(st.integers(0, 3), min_size=1, max_size=6).map(tuple), st.booleans()),
)
prompts = st.builds(
    lambda beginning, rest, end: (*beginning, *range(rest), end),
    st.sampled_from(BEGINNINGS),
    st.sampled_from([0, 0, 1, 5, 30]),
    st.integers(100, 102),
)


def ends_early(job: Job, branch: int, drawn: int) -> bool:
    """Some samples as soon as they can, others after a few tokens, others never."""
    return drawn >= 1 + (job.id + 3 * branch) % TOKENS_MAX


class Batching(RuleBasedStateMachine):
    """Every rule checks in the driver; at the end all must come to its end."""

    @initialize(room=rooms)
    def open(self, room: Room) -> None:
        self.driver = Driver(room, ends_early)
        self.now_ms = 0
        self.submitted = 0

    @rule(
        prompt=prompts,
        branches=st.lists(branches, max_size=6),
        look=st.booleans(),
        caller=st.sampled_from("abc"),
        adapters=st.sampled_from([(), (), (("x", 1.0),)]),
        left_ms=st.one_of(st.none(), st.integers(0, 30)),
        alike=st.integers(1, 3),
    )
    def submit(
        self,
        prompt: tuple[int, ...],
        branches: list[Branch],
        look: bool,
        caller: str,
        adapters: tuple[tuple[str, float], ...],
        left_ms: int | None,
        alike: int,
    ) -> None:
        deadline_ms = None if left_ms is None else self.now_ms + left_ms
        for _ in range(alike):
            self.submitted += 1
            wanted = tuple(branches)
            job = Job(self.submitted, caller, prompt, wanted, look or not wanted, adapters, deadline_ms)
            if self.driver.batcher.fits(job):
                self.driver.submit(job)

    @rule(passes=st.integers(1, 12))
    def advance(self, passes: int) -> None:
        for _ in range(passes):
            self.driver.step()

    @rule()
    def fail(self) -> None:
        self.driver.step(fail=True)

    @precondition(lambda self: self.driver.told)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        self.driver.cancel(data.draw(st.sampled_from(sorted(self.driver.told))))

    @rule(passed_ms=st.integers(1, 10))
    def wait(self, passed_ms: int) -> None:
        self.now_ms += passed_ms
        deadlines = {number: told.job.deadline_ms for number, told in self.driver.told.items()}
        due = {number for number, deadline in deadlines.items() if deadline is not None and deadline <= self.now_ms}
        assert set(self.driver.expire(self.now_ms)) == due
        left = [deadline for deadline in deadlines.values() if deadline is not None and deadline > self.now_ms]
        assert self.driver.batcher.next_deadline == min(left, default=None)

    def teardown(self) -> None:
        if not hasattr(self, "driver"):
            return
        self.driver.run()
        batcher = self.driver.batcher
        assert (batcher.waiting, batcher.running) == (0, 0)
        assert batcher.cells_held == batcher.cells_cached
        self.driver.memory.operate(batcher._prefixes.operations)
        assert self.driver.memory.cells == batcher.cells_cached <= self.driver.room.cached_cells_max


TestBatching = Batching.TestCase
TestBatching.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)

"""Who holds whom alive, suspect or dead, counted as it changes: nobody's table is ever read through."""

from dataclasses import dataclass, field

from node.membership.events import Status


@dataclass(frozen=True, slots=True)
class Verdict:
    """One node's countdown for another ran out."""

    at_ms: int
    observer: int
    subject: int


@dataclass(slots=True)
class News:
    """Metadata that one member published, and when each other learned of it."""

    meta: bytes
    heard_ms: dict[int, int] = field(default_factory=dict)


@dataclass(slots=True)
class Census:
    """Nodes by number. Only observers whose process runs count."""

    size: int
    alive: list[int] = field(default_factory=list)
    """By observer: how many others it holds alive."""
    dead: list[dict[int, None]] = field(default_factory=list)
    """By observer: whom it holds dead."""
    dead_at: list[int] = field(default_factory=list)
    """By subject: how many observers hold it dead."""
    suspected_ms: dict[int, int] = field(default_factory=dict)
    """By subject: when somebody first suspected it, since `forget`."""
    verdicts: list[Verdict] = field(default_factory=list)
    """Every death declared, in order."""
    news: dict[int, News] = field(default_factory=dict)
    """By subject that is watched."""

    def __post_init__(self) -> None:
        self.alive = [0] * self.size
        self.dead = [{} for _ in range(self.size)]
        self.dead_at = [0] * self.size

    def begin(self, observer: int, alive: int) -> None:
        """Its process starts, and holds so many alive."""
        self.end(observer)
        self.alive[observer] = alive

    def end(self, observer: int) -> None:
        """Its process is no more, nor what it held true."""
        self.alive[observer] = 0
        for subject in self.dead[observer]:
            self.dead_at[subject] -= 1
        self.dead[observer] = {}

    def watch(self, subject: int, meta: bytes) -> News:
        """Note from now on when observers learn this metadata of it."""
        news = self.news[subject] = News(meta)
        return news

    def changed(self, now_ms: int, observer: int, subject: int, before: Status | None, after: Status) -> None:
        if before is Status.ALIVE:
            self.alive[observer] -= 1
        elif before is Status.DEAD:
            self.dead_at[subject] -= 1
            del self.dead[observer][subject]
        if after is Status.ALIVE:
            self.alive[observer] += 1
        elif after is Status.DEAD:
            self.dead_at[subject] += 1
            self.dead[observer][subject] = None
            self.verdicts.append(Verdict(now_ms, observer, subject))
        elif after is Status.SUSPECT:
            self.suspected_ms.setdefault(subject, now_ms)

    def all_alive(self, observers: int) -> bool:
        """Whether so many observers, which are all there are, hold one another alive and nobody else."""
        return sum(self.alive) == observers * (observers - 1)

"""Decides by what was measured whether a question is put to all members or to the one that knows its class better."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from coordinator.answers import prompt_for
from coordinator.ledger.roster import Roster
from coordinator.records import Proposal, Question
from coordinator.session import Session
from coordinator.signed import Digest, Kind, NodeId
from node.api import AloneReport
from node.errors import QuestionRefused
from node.standing import ClassStanding, Standing, StandingInvalid

log = logging.getLogger("moot")


@dataclass(frozen=True, slots=True)
class Alone:
    """The member of which alone the points are to count."""

    member: NodeId
    name: str
    question_class: str
    why: str
    """For people, in one line."""

    def report(self, *, failed: bool = False) -> AloneReport:
        return {"question_class": self.question_class, "member": self.name, "why": self.why, "failed": failed}


class Standings:
    """What was measured, read again whenever its file has changed. A file that is broken is reported, and not used."""

    def __init__(self, path: Path | None, moot: Digest) -> None:
        self._path, self._moot = path, moot
        self._stamp: tuple[int, int] | None = None
        self._standing: Standing | None = None
        self.problem = ""
        """Why the file that is there is not used; empty while it is, or while there is none."""
        self.models: dict[NodeId, Digest] = {}
        """Of members, as far as they are known: a measurement of another model says nothing."""

    def saw(self, session: Session | None, member: NodeId) -> None:
        """Note with which model a member answers."""
        record = session.own(Kind.PROPOSAL, member) if session is not None else None
        if record is not None:
            self.models[member] = Proposal.decode(record.body).model

    def current(self) -> Standing | None:
        """What holds now."""
        if self._path is None:
            return None
        try:
            stat = self._path.stat()
            stamp = (stat.st_mtime_ns, stat.st_size)
            if stamp != self._stamp:
                self._stamp = stamp
                self._take(Standing.read(self._path.read_bytes()))
        except FileNotFoundError:
            self._stamp, self._standing, self.problem = None, None, ""
        except (OSError, StandingInvalid) as error:
            self._refuse(error.strerror or str(error) if isinstance(error, OSError) else str(error))
        return self._standing

    def choose(
        self,
        question: Question,
        wanted: str | None,
        roster: Roster,
        is_alive: Callable[[NodeId], bool],
    ) -> Alone | None:
        """The one member that is to answer, or None for all.

        `wanted` is the question's class, as its asker calls it; without one it is recognized.

        Raises:
            QuestionRefused: nothing was measured of the class that is wanted.
        """
        standing = self.current()
        if wanted is not None and (standing is None or wanted not in standing.classes):
            known = (
                f"there are {', '.join(sorted(standing.classes))}" if standing and standing.classes else self._none()
            )
            raise QuestionRefused(f"nothing was measured of a class {wanted[:40]!r}; {known}")
        if standing is None or standing.tally != roster.charter.tally:
            return None
        name = wanted or standing.recognizer.recognize(prompt_for(question))
        found = standing.classes.get(name) if name is not None else None
        if name is None or found is None or not found.better:
            return None
        seat, measured = roster.by_node.get(found.best), standing.members[found.best].model
        now = self.models.get(found.best)
        if seat is None or not is_alive(found.best) or (measured and now and measured != now):
            return None
        return Alone(found.best, seat.name, name, _why(name, seat.name, found))

    def _none(self) -> str:
        return self.problem or "measure some: moot evaluate --home DIR"

    def _take(self, standing: Standing) -> None:
        if standing.moot != self._moot:
            raise StandingInvalid("it was measured at another moot")
        self._standing, self.problem = standing, ""

    def _refuse(self, reason: str) -> None:
        assert self._path is not None
        self._standing = None
        self.problem = (
            f"{self._path.name} cannot be used ({reason}), so all members are asked; measure anew or remove it"
        )
        log.warning("standing.refused reason=%r", reason)


def _why(question_class: str, name: str, found: ClassStanding) -> str:
    alone, together = (_share(right, found.questions) for right in (found.members[found.best], found.together))
    return (
        f"{question_class}: {name} alone is right more often than all together ({alone} against {together} of "
        f"{found.questions}); only its answer counts"
    )


def _share(right: int, asked: int) -> str:
    return f"{right / asked:.2f}".removeprefix("0")

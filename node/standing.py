"""How a moot stands in each class of questions, as measured: where its best member alone is right more often than all.

A file in a node's home, written by `moot evaluate --home` and read by the node when somebody asks. It holds what was
measured with what, so that a measurement of other models or another moot is not taken for this one.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from coordinator.records import is_plain
from coordinator.signed import NODE_ID_SIZE, Digest, NodeId
from node.recognizer import CLASSES_MAX, Recognizer

FORMAT = "moot-standing/1"
SIZE_MAX = 16 * 1024 * 1024
MEMBERS_MAX = 1_000
NAME_LENGTH_MAX = 100
_PARTS = {"format", "measured_ms", "moot", "tally", "members", "classes", "recognizer"}
_CLASS_PARTS = {"questions", "together", "members", "best", "better", "difference"}


class StandingInvalid(ValueError):
    """The file is no standing of a moot. The message says what is wrong."""


@dataclass(frozen=True, slots=True)
class Seat:
    """A member that was measured.

    Args:
        model: SHA-256 of its model's file; None where it was not told.
    """

    name: str
    model: Digest | None


@dataclass(frozen=True, slots=True)
class ClassStanding:
    """Questions of one class.

    Args:
        together: how many all members answered right together.
        members: how many each answered right alone.
        best: the member with the most.
        better: it is better than all together: the interval of the paired difference is above 0.
        difference: of the shares, best member minus all together, with its 95 % interval.
    """

    questions: int
    together: int
    members: Mapping[NodeId, int]
    best: NodeId
    better: bool
    difference: tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Standing:
    """All classes of one measurement.

    Args:
        measured_ms: the wall clock then.
        tally: the voting rule by which all answered together.
    """

    measured_ms: int
    moot: Digest
    tally: str
    members: Mapping[NodeId, Seat]
    classes: Mapping[str, ClassStanding]
    recognizer: Recognizer

    def write(self) -> bytes:
        document = {
            "format": FORMAT,
            "measured_ms": self.measured_ms,
            "moot": self.moot.hex(),
            "tally": self.tally,
            "members": {
                node.hex(): {"name": seat.name, "model": seat.model.hex() if seat.model else None}
                for node, seat in sorted(self.members.items())
            },
            "classes": {name: _class_report(one) for name, one in sorted(self.classes.items())},
            "recognizer": self.recognizer.report(),
        }
        return (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode()

    @staticmethod
    def read(data: bytes) -> "Standing":
        """Raises StandingInvalid."""
        if len(data) > SIZE_MAX:
            raise StandingInvalid(f"larger than {SIZE_MAX >> 20} MiB")
        try:
            return _read(json.loads(data))
        except StandingInvalid:
            raise
        except RecursionError:
            raise StandingInvalid("nested too deeply") from None
        except (ValueError, TypeError, KeyError, OverflowError) as error:
            raise StandingInvalid(str(error)[:200] or "not readable") from error


def _class_report(one: ClassStanding) -> dict[str, Any]:
    members = {node.hex(): right for node, right in sorted(one.members.items())}
    return {**asdict(one), "members": members, "best": one.best.hex(), "difference": list(one.difference)}


def _read(document: Any) -> Standing:
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise StandingInvalid(f"no {FORMAT} file")
    _check(document.keys() == _PARTS, f"its parts must be {', '.join(sorted(_PARTS))}")
    measured_ms, tally, members = document["measured_ms"], document["tally"], document["members"]
    _check(type(measured_ms) is int and 0 <= measured_ms < 2**63, "measured_ms: no time")
    _check(isinstance(tally, str) and len(tally) <= NAME_LENGTH_MAX, "tally: no name")
    _check(isinstance(members, dict) and len(members) <= MEMBERS_MAX, f"members: more than {MEMBERS_MAX}, or none")
    seats = {_bytes(node, NODE_ID_SIZE): _seat(entry) for node, entry in members.items()}
    classes = document["classes"]
    _check(isinstance(classes, dict) and len(classes) <= CLASSES_MAX, f"classes: more than {CLASSES_MAX}, or none")
    found = {_name(name): _class(name, entry, seats) for name, entry in classes.items()}
    recognizer = Recognizer.read(document["recognizer"])
    _check(recognizer.classes.keys() <= found.keys(), "the recognizer knows a class that was not measured")
    return Standing(measured_ms, _bytes(document["moot"], 32), tally, seats, found, recognizer)


def _seat(entry: Any) -> Seat:
    _check(isinstance(entry, dict) and entry.keys() == {"name", "model"}, "a member must have name and model")
    return Seat(_name(entry["name"]), None if entry["model"] is None else _bytes(entry["model"], 32))


def _class(name: str, entry: Any, seats: Mapping[NodeId, Seat]) -> ClassStanding:
    where = f"class {name[:40]!r}"
    _check(isinstance(entry, dict) and entry.keys() == _CLASS_PARTS, f"{where}: its parts are not those of a class")
    asked, together, better = entry["questions"], entry["together"], entry["better"]
    members = {_bytes(node, NODE_ID_SIZE): right for node, right in entry["members"].items()}
    counts = [together, *members.values()]
    _check(type(asked) is int and asked > 0, f"{where}: questions must be a positive number")
    _check(all(type(count) is int and 0 <= count <= asked for count in counts), f"{where}: a count is out of range")
    best, difference = _bytes(entry["best"], NODE_ID_SIZE), entry["difference"]
    _check(best in members and members.keys() <= seats.keys(), f"{where}: a member that was not measured")
    _check(type(better) is bool, f"{where}: better must be true or false")
    _check(
        isinstance(difference, list) and len(difference) == 3 and all(-1 <= float(one) <= 1 for one in difference),
        f"{where}: difference must be three numbers from -1 to 1",
    )
    low, middle, high = (float(difference[place]) for place in (1, 0, 2))
    _check(not better or low > 0, f"{where}: better, although the difference may be 0")
    return ClassStanding(asked, together, members, best, better, (middle, low, high))


def _name(text: Any) -> str:
    _check(isinstance(text, str) and 0 < len(text) <= NAME_LENGTH_MAX and is_plain(text), "a name is no plain text")
    return str(text)


def _bytes(text: Any, size: int) -> bytes:
    data = bytes.fromhex(text)
    _check(len(data) == size, f"{str(text)[:16]!r} does not stand for {size} bytes")
    return data


def _check(holds: bool, problem: str) -> None:
    if not holds:
        raise StandingInvalid(problem)

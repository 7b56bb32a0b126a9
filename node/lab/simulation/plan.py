"""A whole run said beforehand: who takes part, who lies, how the network is, what is asked and what goes wrong when.

A plan and nothing else decides what happens: it can be written to a file, played again and made smaller.
"""

import json
from dataclasses import asdict, dataclass, fields
from enum import Enum
from typing import Any

from node.lab.simulation.faults import FAULTS, Disk, Fault


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """How every message fares, beside cuts and clogs. Reordering follows from delays that differ."""

    delay_min_ms: int = 1
    delay_mean_ms: int = 20
    """What is added to the least delay is exponential; each directed link has a mean of its own up to twice this."""
    loss: float = 0.0
    duplication: float = 0.0
    replay: float = 0.0
    """How often a message is followed by an old one, of any sender and any time."""
    in_flight_max: int = 0
    """Messages under way on one link; what is beyond is lost. 0 is no limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clocks:
    """Each node's are drawn within these bounds."""

    offset_ms_max: int = 0
    """Of the wall clock, either way."""
    drift_ppm_max: int = 0
    """Of the monotonic clock, either way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Models:
    """How the members' models answer."""

    latency_ms_mean: int = 50
    latency_ms_max: int = 2_000
    slow: tuple[int, ...] = ()
    """Nodes whose models take twenty times as long."""
    failing: float = 0.0
    """Share of requests that fail."""
    wrong: float = 0.2
    """Share of answers that are not the right one."""


@dataclass(frozen=True, slots=True)
class Ask:
    """Somebody puts a question to this node."""

    at_ms: int
    node: int
    deadline_ms: int = 5_000


@dataclass(frozen=True, slots=True)
class Seat:
    """The members propose, and approve, that the roster changes: `joins` comes in and `leaves` goes, -1 is nobody."""

    at_ms: int
    by: int
    joins: int = -1
    leaves: int = -1


@dataclass(frozen=True, slots=True)
class Liar:
    """This member does not follow the protocol; `kind` names how, see `lies`."""

    node: int
    kind: str


class World(Enum):
    """Which part of a node is played."""

    MOOT = "moot"
    """Everything but model, disk and network: membership, questions, voting and ledger."""
    SLOTS = "slots"
    """Federated voting alone, one slot after another, on quorum sets of many shapes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Times are virtual milliseconds from the start. Nodes are numbered from 0; the moot's members come first."""

    scenario: str
    seed: int
    world: World
    members: int
    """Of the first roster."""
    nodes: int
    """With those that only join later."""
    threshold: int = 0
    """Members that make a quorum; 0 is the least that is safe. Smaller ones are for runs that must go wrong."""
    shape: str = "same"
    """Of the quorum sets, in a run of slots; see `shapes`."""
    slots: int = 1
    """To be decided, in a run of slots."""
    liars: tuple[Liar, ...] = ()
    network: Network = Network()
    clocks: Clocks = Clocks()
    models: Models = Models()
    asks: tuple[Ask, ...] = ()
    seats: tuple[Seat, ...] = ()
    faults: tuple[Fault, ...] = ()
    heal_ms: int = 0
    """From here on nothing goes wrong any more, and liars do no more than stay silent."""
    budget_ms: int = 60_000
    """How long after it everything must be decided at the latest."""
    ed25519: bool = False
    """Real signatures and the real wire format, instead of quick tags that cannot be forged in here either."""
    checked: bool = False
    """In a run of slots, have a slow judge derive every step anew from what had been heard; see `oracle`."""

    def to_json(self) -> str:
        return json.dumps(_written(asdict(self), self), indent=1)

    @staticmethod
    def from_json(text: str) -> "Plan":
        """Read what `to_json` wrote.

        Raises:
            ValueError: it is no plan; the message says where.
        """
        try:
            return _read_plan(json.loads(text))
        except json.JSONDecodeError as error:
            raise ValueError(f"not a plan: not JSON ({error})") from error
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"not a plan: {error}") from error


def _written(document: dict[str, Any], plan: Plan) -> dict[str, Any]:
    document["world"] = plan.world.value
    document["faults"] = [
        {"fault": type(fault).__name__, **{name: _plain(value) for name, value in asdict(fault).items()}}
        for fault in plan.faults
    ]
    return document


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, Enum) else value


def _read_plan(document: dict[str, Any]) -> Plan:
    parts: dict[str, Any] = dict(document)
    unknown = parts.keys() - {field.name for field in fields(Plan)}
    if unknown:
        raise ValueError(f"not a plan: unknown {', '.join(sorted(unknown))}")
    parts["world"] = World(parts["world"])
    parts["liars"] = tuple(Liar(**one) for one in parts["liars"])
    parts["network"] = Network(**parts["network"])
    parts["clocks"] = Clocks(**parts["clocks"])
    parts["models"] = Models(**{**parts["models"], "slow": tuple(parts["models"]["slow"])})
    parts["asks"] = tuple(Ask(**one) for one in parts["asks"])
    parts["seats"] = tuple(Seat(**one) for one in parts["seats"])
    parts["faults"] = tuple(_read_fault(one) for one in parts["faults"])
    return Plan(**parts)


def _read_fault(document: dict[str, Any]) -> Fault:
    parts = dict(document)
    kinds = {kind.__name__: kind for kind in FAULTS}
    kind = kinds[parts.pop("fault")]
    if "disk" in parts:
        parts["disk"] = Disk(parts["disk"])
    if "side" in parts:
        parts["side"] = tuple(parts["side"])
    return kind(**parts)

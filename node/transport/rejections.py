"""Why an envelope is refused: one word for counters, one sentence for the people at the other end."""

from dataclasses import dataclass
from enum import Enum


class Reason(Enum):
    """Each one has its own answer on the wire."""

    MALFORMED = "malformed"
    OVERSIZED = "oversized"
    WRONG_MOOT = "wrong_moot"
    WRONG_RECIPIENT = "wrong_recipient"
    NOT_ADMITTED = "not_admitted"
    RATE_LIMITED = "rate_limited"
    OUTDATED = "outdated"
    REPLAYED = "replayed"
    FUTURE_EPOCH = "future_epoch"
    BAD_SIGNATURE = "bad_signature"
    NO_DEADLINE = "no_deadline"
    STOPPING = "stopping"


@dataclass(frozen=True, slots=True)
class Rejected:
    """A peer's envelope that goes no further."""

    reason: Reason
    detail: str

    def __str__(self) -> str:
        return f"{self.reason.value}: {self.detail}"

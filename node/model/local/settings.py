"""How the model's process is run, and whether it is up."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessSettings:
    """Limits of the node's side."""

    queue_max: int = 64
    """Requests that may wait or be under way; one more is refused: its answer would come too late."""
    request_timeout_ms: int = 60_000
    """For a request without a deadline of its own, from the moment it came. The process lives on."""
    hang_timeout_ms: int = 60_000
    """So long without a sign of life while something is under way, and the process is taken to hang, and ended. More
    than any forward pass takes."""
    start_timeout_ms: int = 120_000
    """For loading the model or an adapter; a large file is read and hashed first."""
    restart_ms_min: int = 100
    restart_ms_max: int = 10_000
    """The wait before a restart doubles between these, and starts over once the process has served a request."""


@dataclass(frozen=True, slots=True)
class ModelState:
    """Whether the model can be asked."""

    up: bool
    reason: str
    """For people: what is loaded, or why the process is down."""
    starts: int
    """How often the process was started so far."""

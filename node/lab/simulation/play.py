"""Play one plan in its world; whatever a core fails with is a violation like any other."""

import traceback
from pathlib import Path
from types import TracebackType

from node.lab.simulation.outcome import Outcome, Violated, Violation
from node.lab.simulation.plan import Plan, World
from node.lab.simulation.timeline import Timeline
from node.lab.simulation.watch import Watch

CRASH = "crash"
FRAMES_SHOWN = 4
_ROOT = f"{Path(__file__).resolve().parents[3]}/"


def play(plan: Plan, watch: Watch | None = None) -> Outcome:
    """How the plan ends. Equal plans end alike, with the same digest of all that happened."""
    watch = Watch() if watch is None else watch
    try:
        return _world(plan, watch)
    except Violated as violated:
        return _broken(plan, watch, violated.invariant, violated.detail, violated.__traceback__)
    except Exception as error:
        return _broken(plan, watch, CRASH, told(error), error.__traceback__)


def told(error: BaseException) -> str:
    """What was raised and where, innermost last; the first line stays the same for as long as the fault does."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f"{_short(frames[-1].filename)}:{frames[-1].name}" if frames else "nowhere"
    lines = [f"{_short(frame.filename)}:{frame.lineno} in {frame.name}: {frame.line}" for frame in frames]
    return "\n".join([f"{type(error).__name__} in {where}", *lines[-FRAMES_SHOWN:], str(error)]).strip()


def _world(plan: Plan, watch: Watch) -> Outcome:
    match plan.world:
        case World.MOOT:
            from node.lab.simulation.moot.world import play_moot  # either world alone starts sooner

            return play_moot(plan, watch)
        case World.SLOTS:
            from node.lab.simulation.slots.world import play_slots

            return play_slots(plan, watch)


def _broken(plan: Plan, watch: Watch, invariant: str, detail: str, trace: TracebackType | None) -> Outcome:
    timeline = _timeline(trace)
    return Outcome(
        plan=plan,
        violation=Violation(invariant=invariant, detail=detail, at_ms=timeline.now_ms, event=timeline.events),
        slots=0,
        events=timeline.events,
        virtual_ms=timeline.now_ms,
        crashes=0,
        trace=watch.trace(),
    )


def _timeline(trace: TracebackType | None) -> Timeline:
    """The timeline that was being played: what went wrong in an act went through its `run`."""
    while trace is not None:
        found = trace.tb_frame.f_locals.get("self")
        if isinstance(found, Timeline):
            return found
        trace = trace.tb_next
    return Timeline()


def _short(filename: str) -> str:
    """The file as it is named in every checkout."""
    return filename.removeprefix(_ROOT)

"""The steps of the check, and how they cross from the process that makes them to the one that asked."""

import json
from dataclasses import dataclass

from node.model.errors import BY_NAME, ModelDied, ModelError


class ModelUnsound(ModelError):
    """The model can be loaded, but what it computes cannot be right."""

    def __init__(self, path: str, problem: str) -> None:
        self.fields = (path, problem)
        super().__init__(f"{path}: not a sound model: {problem}")


@dataclass(frozen=True, slots=True)
class Begun:
    """A step is under way; should the process end, it was this one's doing."""

    step: str


@dataclass(frozen=True, slots=True)
class Passed:
    """Args: said: what was found, for people."""

    step: str
    said: str


@dataclass(frozen=True, slots=True)
class Failed:
    """The last step."""

    error: ModelError


Event = Begun | Passed | Failed
_KINDS = {**BY_NAME, ModelUnsound.__name__: ModelUnsound}


def line(event: Event) -> str:
    match event:
        case Begun(step):
            return json.dumps({"begun": step})
        case Passed(step, said):
            return json.dumps({"passed": step, "said": said})
        case Failed(error):
            return json.dumps({"failed": type(error).__name__, "fields": error.fields})


def read(text: str) -> Event:
    """What a line says. One that is none of ours is an end of the process that nobody expected."""
    try:
        match json.loads(text):
            case {"begun": str(step)}:
                return Begun(step)
            case {"passed": str(step), "said": str(said)}:
                return Passed(step, said)
            case {"failed": str(name), "fields": list(fields)} if name in _KINDS:
                return Failed(_KINDS[name](*fields))
    except (ValueError, TypeError):
        pass
    return Failed(ModelDied(f"said what is none of its words: {text[:80]!r}"))

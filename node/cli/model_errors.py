"""What goes wrong with a model, as a command ends over it: the error's own words, and an exit code for its kind."""

from collections.abc import Iterator
from contextlib import contextmanager

from node.errors import Exit, NodeError
from node.model import errors
from node.model.checking.steps import ModelUnsound
from node.model.errors import ModelError
from node.model.remote.errors import ServerError

_EXITS: dict[type[ModelError], Exit] = {
    errors.ModelFileMissing: Exit.MODEL_MISSING,
    errors.ModelFileInvalid: Exit.MODEL_INVALID,
    errors.ModelTooLarge: Exit.MODEL_TOO_LARGE,
    errors.ModelLibraryMissing: Exit.MODEL_LIBRARY,
    errors.AbilityMissing: Exit.MODEL_UNABLE,
    errors.GrammarInvalid: Exit.GRAMMAR,
    errors.AdapterInvalid: Exit.ADAPTER,
    errors.AdapterUnknown: Exit.ADAPTER,
    errors.PromptTooLong: Exit.PROMPT_TOO_LONG,
    errors.ModelBusy: Exit.MODEL_LATE,
    errors.ModelTimeout: Exit.MODEL_LATE,
    ModelUnsound: Exit.MODEL_UNSOUND,
    ServerError: Exit.MODEL_SERVER,
    ModelError: Exit.MODEL_DIED,
}
"""By kind, and for kinds that are not named by what they are a kind of."""


class ModelTrouble(NodeError):
    """A model cannot be used, or not so."""

    def __init__(self, text: str, code: Exit) -> None:
        super().__init__(text)
        self.exit_code = code


class WrongModelOption(NodeError):
    """What was asked for does not go together, or a file that it names cannot be read."""

    exit_code = Exit.USAGE


def exit_of(error: ModelError) -> Exit:
    return next(_EXITS[kind] for kind in type(error).__mro__ if kind in _EXITS)


@contextmanager
def told() -> Iterator[None]:
    """Turn a model's errors into what the command line prints."""
    try:
        yield
    except ModelError as error:
        raise ModelTrouble(str(error), exit_of(error)) from error


@contextmanager
def sane() -> Iterator[None]:
    """While values are made of options: one that cannot be is the person's mistake."""
    try:
        yield
    except ValueError as error:
        raise WrongModelOption(str(error)) from error

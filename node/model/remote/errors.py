"""What can go wrong with a model's server, as a person should read it.

ServerError
├── ServerUnreachable  no connection, or it broke
├── ServerRefused      the server says no; its words are quoted
├── ServerBusy         it still asks to wait when the time is up
└── AnswerInvalid      what it sends is not what was asked for
"""

from node.model.errors import ModelError


class ServerError(ModelError):
    """The model's server did not do what was asked."""

    def __init__(self, place: str, problem: str) -> None:
        self.fields = (place, problem)
        super().__init__(f"the model's server {place} {problem}")


class ServerUnreachable(ServerError):
    """There is no connection to the server."""


class ServerRefused(ServerError):
    """The server answered with an error.

    Args:
        status: of HTTP; 0 for one in the middle of a stream.
        code: the server's name for it, if it has one.
    """

    def __init__(self, place: str, status: int, words: str, code: str = "") -> None:
        super().__init__(place, f"refuses ({status}): {words!r}" if words else f"refuses with status {status}")
        self.status, self.words, self.code = status, words, code


class ServerBusy(ServerError):
    """The server has too much to do."""


class AnswerInvalid(ServerError):
    """The answer is broken, or cannot be true."""

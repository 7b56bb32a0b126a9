"""What is under way in one run of the model's process, until it is answered or given up: whose it is, and its reply."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from node.model.errors import ModelError
from node.model.pipe import answered
from node.model.pipe.asked import Request
from node.model.pipe.frames import FrameError, Message
from node.model.requests import GenerateRequest, Grammar
from node.model.results import Piece

END = None
"""Among a stream's pieces: the reply is there."""


class Flight:
    """One question to the process, until its reply came or nobody wants it any more.

    Args:
        read: makes the reply out of a message, or raises FrameError or the ModelError that the message reports.
        request: None for what is done beside the queue, such as loading an adapter.
        streams: texts are wanted piece by piece.
    """

    __slots__ = ("_pieces_left", "answered", "number", "pieces", "read", "reply", "request")

    def __init__(
        self, number: int, read: Callable[[Message], Any], request: Request | None = None, *, streams: bool = False
    ) -> None:
        self.number = number
        self.read = read
        self.request = request
        self.reply: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.pieces: asyncio.Queue[Piece | None] | None = asyncio.Queue() if streams else None
        self.answered = False
        self._pieces_left = request.samples * request.tokens_max if isinstance(request, GenerateRequest) else 0

    def take(self, message: Message) -> None:
        """Raises FrameError when the message answers nothing that was asked."""
        if "pieces" in message:
            self._take_pieces(message)
            return
        self.answered = True
        try:
            result = self.read(message)
        except ModelError as error:
            self.fail(error)
            return
        if not self.reply.done():
            self.reply.set_result(result)
        self._end_pieces()

    def _take_pieces(self, message: Message) -> None:
        if self.pieces is None or self.request is None:
            raise FrameError("pieces of what was not to be streamed")
        pieces = answered.read_pieces(message, self.request)
        self._pieces_left -= len(pieces)
        if self._pieces_left < 0:
            raise FrameError("more pieces than tokens were asked for")
        for piece in pieces:
            self.pieces.put_nowait(piece)

    def fail(self, error: ModelError) -> None:
        if not self.reply.done():
            self.reply.set_exception(error)
            self.reply.exception()  # seen, even if its caller has given up
        self._end_pieces()

    def _end_pieces(self) -> None:
        if self.pieces is not None:
            self.pieces.put_nowait(END)

    @property
    def grammar(self) -> Grammar | None:
        return self.request.grammar if isinstance(self.request, GenerateRequest) else None

    @property
    def caller(self) -> str:
        return self.request.caller if self.request is not None else ""


class Flights:
    """The table of them. Numbers are never used twice."""

    def __init__(self) -> None:
        self._table: dict[int, Flight] = {}
        self._callers: Counter[str] = Counter()
        self._numbers = 0

    def __len__(self) -> int:
        return len(self._table)

    def __iter__(self) -> Iterator[Flight]:
        return iter(self._table.values())

    def add(self, read: Callable[[Message], Any], request: Request | None = None, *, streams: bool = False) -> Flight:
        self._numbers += 1
        flight = Flight(self._numbers, read, request, streams=streams)
        self._table[flight.number] = flight
        if request is not None:
            self._callers[request.caller] += 1
        return flight

    def remove(self, flight: Flight) -> bool:
        """Whether it was still there."""
        if self._table.pop(flight.number, None) is None:
            return False
        if flight.request is not None:
            self._callers[flight.caller] -= 1
            if not self._callers[flight.caller]:
                del self._callers[flight.caller]
        return True

    def clear(self) -> list[Flight]:
        """Take all of them out."""
        flights = list(self._table.values())
        self._table.clear()
        self._callers.clear()
        return flights

    def get(self, number: int) -> Flight | None:
        return self._table.get(number)

    @property
    def requests(self) -> int:
        """How many of them take the model's time."""
        return self._callers.total()

    def of(self, caller: str) -> int:
        """How many requests of this caller are under way."""
        return self._callers[caller]

    def newest_of_the_longest(self, caller: str) -> Flight | None:
        """The latest request of the caller that has most under way, if those are over one more than `caller` has.

        When all places are taken, its place goes to whoever has few: a caller that asks much pushes out itself alone.
        Source: McKenney, Stochastic Fairness Queueing (INFOCOM 1990): drop from the longest queue.
        """
        longest, count = max(self._callers.items(), key=lambda item: item[1], default=("", 0))
        if count <= self._callers[caller] + 1:
            return None
        return next(flight for flight in reversed(self._table.values()) if flight.request and flight.caller == longest)

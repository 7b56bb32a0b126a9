"""One sample's text as it grows: stop texts are found across tokens, and half characters are held back."""

import codecs


class Text:
    """Bytes that end before the first stop text.

    Args:
        stops: UTF-8, none of them empty.
    """

    __slots__ = ("_data", "_decoder", "_shown", "_stops")

    def __init__(self, stops: tuple[bytes, ...] = ()) -> None:
        self._data = bytearray()
        self._stops = stops
        self._shown = 0  # bytes that were given to the decoder
        self._decoder: codecs.IncrementalDecoder | None = None

    def add(self, piece: bytes) -> bool:
        """Whether a stop text is complete with it; then the text ends before that."""
        data = self._data
        before = len(data)
        data += piece
        if not self._stops:
            return False
        found = [data.find(stop, max(0, before - len(stop) + 1)) for stop in self._stops]
        ends = [at for at in found if at >= 0]
        if not ends:
            return False
        del data[min(ends) :]
        return True

    def whole(self) -> str:
        return self._data.decode("utf-8", "replace")

    def news(self, *, last: bool = False) -> str:
        """What came since the last time and can no longer turn out to be a stop text or half of a character.

        Args:
            last: nothing more will come.
        """
        if self._decoder is None:
            self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        until = len(self._data) if last else self._certain()
        shown, self._shown = self._shown, max(self._shown, until)
        return self._decoder.decode(bytes(self._data[shown : self._shown]), last)

    def _certain(self) -> int:
        """How many bytes cannot be the beginning of a stop text."""
        data = self._data
        for start in range(max(0, len(data) - max(map(len, self._stops), default=0) + 1), len(data)):
            if any(stop.startswith(data[start:]) for stop in self._stops):
                return start
        return len(data)

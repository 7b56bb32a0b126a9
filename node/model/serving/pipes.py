"""The process's ends of its pipes: requests are read without waiting between passes, replies written all at once."""

import os
import select

from node.model.pipe.frames import Message, Splitter, pack

READ_BYTES = 1 << 18  # between two passes; the rest of a long request is read after the next


class Pipes:
    """Args: requests, replies: file descriptors."""

    def __init__(self, requests: int, replies: int) -> None:
        os.set_blocking(requests, False)
        self._requests, self._replies = requests, replies
        self._poll = select.poll()
        self._poll.register(requests, select.POLLIN)
        self._splitter = Splitter()
        self._outgoing: list[bytes] = []

    def receive(self, wait_ms: int | None) -> list[Message] | None:
        """What has arrived; None when the other side has closed.

        Args:
            wait_ms: for something to arrive; None for as long as it takes.
        """
        if wait_ms != 0:
            self._poll.poll(wait_ms)
        try:
            data = os.read(self._requests, READ_BYTES)
        except BlockingIOError:
            return []
        return self._splitter.feed(data) if data else None

    def send(self, message: Message) -> None:
        """Leaves with the next flush. Raises FrameTooLong."""
        self._outgoing.append(pack(message))

    def flush(self) -> None:
        """Raises BrokenPipeError when nobody reads any more."""
        if not self._outgoing:
            return
        data = memoryview(b"".join(self._outgoing))
        self._outgoing.clear()
        while data:
            data = data[os.write(self._replies, data) :]

"""The binding to llama.cpp's C library, and what the library says when something goes wrong."""

import os
import sys
from collections import deque

from node.model.errors import ModelLibraryMissing

# Threads that wait for each other are to sleep. By default they turn in circles for milliseconds, in every layer: on
# two busy processors two threads then took more than a hundred times as long as one. Read as the library is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

try:
    from llama_cpp import llama_cpp as native
except (ImportError, RuntimeError, OSError) as error:  # RuntimeError: its own word for a library that does not load
    raise ModelLibraryMissing(str(error)) from error

__all__ = ["log", "native", "start"]

_LOG_ERROR, _LOG_CONTINUED = 4, 5  # ggml_log_level


class _Log:
    """Keeps llama.cpp quiet but for errors: those go to stderr, and the last ones into our own messages."""

    def __init__(self) -> None:
        self.errors: deque[str] = deque(maxlen=6)
        self._level = 0
        self.callback = native.llama_log_callback(self._write)

    def _write(self, level: int, text: bytes, _: object) -> None:
        self._level = self._level if level == _LOG_CONTINUED else level
        line = text.decode("utf-8", "replace").strip()
        if self._level == _LOG_ERROR and line:
            print(line, file=sys.stderr)
            self.errors.append(line)

    def reason(self, otherwise: str = "no reason given") -> str:
        """What was said since the last clear()."""
        return "; ".join(self.errors) or otherwise

    def clear(self) -> None:
        self.errors.clear()


log = _Log()


def start() -> None:
    """Make the library ready. May be called again."""
    native.llama_log_set(log.callback, None)
    native.llama_backend_init()

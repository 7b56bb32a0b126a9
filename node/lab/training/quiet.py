"""llama.cpp says only why it refuses something."""

import sys

import llama_cpp

_ERROR = 4  # llama.cpp's level of such messages


def _errors_only(level: int, text: bytes, _: object) -> None:
    if level == _ERROR:
        print(text.decode("utf-8", "replace"), end="", file=sys.stderr)


_callback = llama_cpp.llama_log_callback(_errors_only)  # kept for as long as llama.cpp may call it


def be_quiet() -> None:
    """From now on, in this process."""
    llama_cpp.llama_log_set(_callback, None)

"""The process of a check, `python -m node.model.checking`: a line on stdout for each step.

llama.cpp can end its process over a file that is broken in a new way: here that costs this process only.
"""

import os
import sys
import threading
from pathlib import Path
from typing import TextIO

from node.model.checking.steps import Event, Failed, line
from node.model.engine import LoadSettings
from node.model.errors import ModelError


def main(arguments: list[str]) -> int:
    """Arguments: path of the model, the numbers of LoadSettings in their order, and paths of adapters."""
    path, *rest = arguments
    count = len(LoadSettings.__dataclass_fields__)
    load, adapters = LoadSettings(*map(int, rest[:count])), [Path(each) for each in rest[count:]]
    code = [1]  # stays, if the thread fails; its traceback is on stderr
    out = _take_stdout()

    def check() -> None:
        code[0] = _check(Path(path), load, adapters, out)

    try:
        from node.model.llamacpp.vocabulary import stack_bytes
    except ModelError as error:
        _say(Failed(error), out)
        return 1
    threading.stack_size(stack_bytes(load))
    thread = threading.Thread(target=check, name="model")
    thread.start()
    thread.join()
    return code[0]


def _take_stdout() -> TextIO:
    """Keep stdout for steps; whatever else prints, C code too, prints to stderr."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return out


def _check(path: Path, load: LoadSettings, adapters: list[Path], out: TextIO) -> int:
    from node.model.checking.checks import checks

    try:
        for event in checks(path, load, adapters):
            _say(event, out)
    except ModelError as error:
        _say(Failed(error), out)
        return 1
    return 0


def _say(event: Event, out: TextIO) -> None:
    out.write(line(event) + "\n")
    out.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""The process of a check, `python -m node.model.checking`: a line on stdout for each step.

llama.cpp can end its process over a file that is broken in a new way: here that costs this process only.
"""

import sys
import threading
from pathlib import Path

from node.model.checking.steps import Event, Failed, line
from node.model.engine import LoadSettings
from node.model.errors import ModelError


def main(arguments: list[str]) -> int:
    """Arguments: path of the model, the numbers of LoadSettings in their order, and paths of adapters."""
    path, *rest = arguments
    count = len(LoadSettings.__dataclass_fields__)
    load, adapters = LoadSettings(*map(int, rest[:count])), [Path(each) for each in rest[count:]]
    code = [1]  # stays, if the thread fails; its traceback is on stderr

    def check() -> None:
        code[0] = _check(Path(path), load, adapters)

    try:
        from node.model.llamacpp.vocabulary import stack_bytes
    except ModelError as error:
        _say(Failed(error))
        return 1
    threading.stack_size(stack_bytes(load))
    thread = threading.Thread(target=check, name="model")
    thread.start()
    thread.join()
    return code[0]


def _check(path: Path, load: LoadSettings, adapters: list[Path]) -> int:
    from node.model.checking.checks import checks

    try:
        for event in checks(path, load, adapters):
            _say(event)
    except ModelError as error:
        _say(Failed(error))
        return 1
    return 0


def _say(event: Event) -> None:
    print(line(event), flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""The model's process, `python -m node.model.serving`: requests on stdin, replies on stdout.

It ends when stdin closes, so that it never outlives its node; on Linux also at once when the node is killed in the
middle of a request.
"""

import ctypes
import importlib.util
import os
import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path

from node.model.engine import LoadSettings
from node.model.errors import ModelError
from node.model.pipe import answered
from node.model.serving.pipes import Pipes

PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
NICENESS = 5  # passes take all the processor there is; the node's answers to its peers' probes come first


def main(arguments: list[str]) -> int:
    """Arguments: path of the model, the numbers of LoadSettings in their order, and the process id of the node."""
    path, *numbers, parent = arguments
    _die_with(int(parent))
    for number in (signal.SIGINT, signal.SIGTERM):  # They may reach a whole group; the node decides when we end
        signal.signal(number, signal.SIG_IGN)
    os.nice(NICENESS)
    pipes = _take_standard_streams()
    _skip_package_code("llama_cpp")
    load = LoadSettings(*map(int, numbers))
    try:
        from node.model.llamacpp.vocabulary import stack_bytes
    except ModelError as error:
        return _refuse(pipes, error)
    code = [1]  # stays, if the thread fails; its traceback is on stderr

    def serve() -> None:
        code[0] = _serve(Path(path), load, pipes)

    threading.stack_size(stack_bytes(load))
    thread = threading.Thread(target=serve, name="model")
    thread.start()
    thread.join()
    return code[0]


def _serve(path: Path, load: LoadSettings, pipes: Pipes) -> int:
    from node.model.serving.loop import Loop

    try:
        loop = Loop(path, load, pipes)
    except ModelError as error:
        return _refuse(pipes, error)
    with suppress(BrokenPipeError):  # the node has ended
        loop.run()
    loop.close()
    return 0


def _refuse(pipes: Pipes, error: ModelError) -> int:
    pipes.send(answered.error_message(error))
    pipes.flush()
    return 1


def _die_with(parent: int) -> None:
    """Ask Linux to kill this process with the thread that started it; elsewhere closed stdin must do."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before we asked
        sys.exit(1)


def _take_standard_streams() -> Pipes:
    """Keep stdin and stdout for messages; whatever else prints, C code too, prints to stderr."""
    pipes = Pipes(os.dup(0), os.dup(1))
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return pipes


def _skip_package_code(name: str) -> None:
    """Make a package's modules importable without running its __init__.

    We need llama_cpp's binding alone. Its __init__ imports numpy and a chat server's worth of code: 0.1 s and 23 MB,
    which a machine with several nodes would pay several times.
    """
    spec = importlib.util.find_spec(name)
    if spec is not None:
        sys.modules[name] = importlib.util.module_from_spec(spec)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""The model's process, `python -m node.model.worker`: requests on stdin, replies on stdout.

It ends when stdin closes, so that it never outlives its node; on Linux also at once when the node is killed in the
middle of a request.
"""

import ctypes
import importlib.util
import os
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from node.model import frames
from node.model.engine import LoadSettings
from node.model.errors import ModelError, ModelFailed

if TYPE_CHECKING:
    from node.model.llama import Llama

PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
NICENESS = 5  # passes take all the processor there is; the node's answers to its peers' probes come first


def main(arguments: list[str]) -> int:
    """Arguments: path of the model, context length, threads, and the process id of the node."""
    path, context_length, threads, parent = arguments
    _die_with(int(parent))
    for number in (signal.SIGINT, signal.SIGTERM):  # They may reach a whole group; the node decides when we end
        signal.signal(number, signal.SIG_IGN)
    os.nice(NICENESS)
    requests, replies = _take_standard_streams()
    _skip_package_code("llama_cpp")
    try:
        from node.model.llama import stack_bytes
    except ModelError as error:
        _send(replies, frames.pack(frames.error_message(error)))
        return 1
    load = LoadSettings(int(context_length), int(threads))
    code = [1]  # stays, if the thread fails; its traceback is on stderr

    def serve() -> None:
        code[0] = _serve(Path(path), load, requests, replies)

    threading.stack_size(stack_bytes(load))
    thread = threading.Thread(target=serve, name="model")
    thread.start()
    thread.join()
    return code[0]


def _serve(path: Path, load: LoadSettings, requests: BinaryIO, replies: BinaryIO) -> int:
    from node.model.llama import Llama

    try:
        model = Llama(path, load)
    except ModelError as error:
        _send(replies, frames.pack(frames.error_message(error)))
        return 1
    _send(replies, frames.pack(frames.ready_message(model.info)))
    try:
        while (message := frames.read(requests)) is not None:
            _send(replies, _answer(model, message))
    finally:
        model.close()
    return 0


def _answer(model: "Llama", message: frames.Message) -> bytes:
    from node.model.generation import generate

    number = frames.ticket(message)
    try:
        return frames.pack(frames.generated_message(number, generate(model, frames.read_request(message))))
    except frames.FrameError as error:
        return frames.pack(frames.error_message(ModelFailed(f"the answer is too long: {error}"), number))
    except ModelError as error:
        return frames.pack(frames.error_message(error, number))


def _send(replies: BinaryIO, data: bytes) -> None:
    replies.write(data)
    replies.flush()


def _die_with(parent: int) -> None:
    """Ask Linux to kill this process with the thread that started it; elsewhere closed stdin must do."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before we asked
        sys.exit(1)


def _take_standard_streams() -> tuple[BinaryIO, BinaryIO]:
    """Keep stdin and stdout for frames; whatever else prints, C code too, prints to stderr."""
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return requests, replies


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

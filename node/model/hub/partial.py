"""A file that has come in part: one process writes it, and what an earlier one left is counted in."""

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING

from node.model.hub.errors import HubFileInvalid, HubNoRoom, HubUnreachable
from node.model.hub.names import HubFile
from node.model.hub.requests import Described

if TYPE_CHECKING:
    from hashlib import _Hash

SUFFIX = ".part"
_MAGIC = b"GGUF"
_CHUNK = 1 << 20


def partial_path(folder: Path, file: HubFile, digest: str) -> Path:
    """The digest is in its name: bytes of another version of the file are never gone on with."""
    return folder / f"{_flat(file)}.{digest}{SUFFIX}"


def drop_others(folder: Path, file: HubFile, digest: str) -> None:
    """Delete what came of other versions of the file, unless a process is fetching it now."""
    ours = partial_path(folder, file, digest)
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        if path != ours and path.name.rpartition(".")[0].rpartition(".")[0] == _flat(file):
            with suppress(OSError, HubUnreachable), locked(path):
                path.unlink(missing_ok=True)


def _flat(file: HubFile) -> str:
    return file.path.replace("/", "--")


@contextmanager
def locked(path: Path) -> Iterator[IO[bytes]]:
    """Open the file, made if it is not there, and keep other processes off until the block ends.

    Raises:
        HubUnreachable: another process is at it.
    """
    while True:
        file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644), "r+b")
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
                    raise HubUnreachable(f"{path}: this file system cannot lock ({error.strerror})") from error
                raise HubUnreachable(
                    f"{path}: another process fetches this file now; try again when it is done"
                ) from None
            with suppress(FileNotFoundError):
                if os.path.samestat(
                    os.fstat(file.fileno()), os.stat(path)
                ):  # not renamed or deleted since it was opened
                    yield file
                    return


class Partial:
    """What has come of a file so far, with its digest.

    Raises HubNoRoom when the disk takes no more, and HubFileInvalid when it is seen to be no GGUF file.
    """

    def __init__(self, file: IO[bytes], described: Described) -> None:
        self._file, self._described = file, described
        self._hasher: _Hash = described.hasher()
        self._head = b""
        self.length = 0
        """Bytes that are there."""

    def take_in(self) -> None:
        """Count in what an earlier try left."""
        self._file.seek(0)
        if os.fstat(self._file.fileno()).st_size > self._described.size:
            self.start_over()
        while chunk := self._file.read(_CHUNK):
            self._count(chunk)

    def add(self, chunk: bytes) -> None:
        if self.length + len(chunk) > self._described.size:
            raise HubFileInvalid(f"more bytes came than the {self._described.size} that the hub says the file has")
        with _room():
            self._file.write(chunk)
        self._count(chunk)

    def start_over(self) -> None:
        self._file.seek(0)
        self._file.truncate()
        self._hasher, self._head, self.length = self._described.hasher(), b"", 0

    def flush(self, *, to_disk: bool = False) -> None:
        with _room():
            self._file.flush()
            if to_disk:
                os.fsync(self._file.fileno())

    @property
    def is_whole(self) -> bool:
        return self.length == self._described.size

    @property
    def is_true(self) -> bool:
        """Whether it has the digest that the hub named."""
        return self._hasher.hexdigest() == self._described.digest

    def _count(self, chunk: bytes) -> None:
        self._hasher.update(chunk)
        self.length += len(chunk)
        if len(self._head) < len(_MAGIC):
            self._head = (self._head + chunk)[: len(_MAGIC)]
            if not _MAGIC.startswith(self._head):
                raise HubFileInvalid(f"it starts with {self._head!r}, not GGUF; choose a .gguf file")


@contextmanager
def _room() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise HubNoRoom(f"the download cannot be written: {error.strerror}; free some room, then try again") from error

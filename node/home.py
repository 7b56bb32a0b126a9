"""One node's directory: what lies where in it, and the lock that keeps a second process out."""

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from node.errors import HomeExists, HomeInUse, HomeMissing

_MODE = 0o700


@dataclass(frozen=True, slots=True)
class Home:
    """Only its owner can look inside: the identity and the votes in it are the node."""

    path: Path

    @property
    def identity(self) -> Path:
        return self.path / "identity.key"

    @property
    def settings(self) -> Path:
        return self.path / "settings.toml"

    @property
    def genesis(self) -> Path:
        return self.path / "genesis.json"

    @property
    def store(self) -> Path:
        return self.path / "moot.db"

    @property
    def standing(self) -> Path:
        """Where one member alone does better than all, as `moot evaluate --home` has measured; often there is none."""
        return self.path / "standing.json"

    @property
    def log(self) -> Path:
        return self.path / "node.log"

    @property
    def lock(self) -> Path:
        return self.path / "lock"

    @staticmethod
    def create(path: Path) -> "Home":
        """Make the directory, or take one that holds no node yet.

        Raises:
            HomeExists: there is a node in it; it is left as it is.
            HomeMissing: the directory cannot be made or used.
        """
        home = Home(path)
        try:
            path.mkdir(mode=_MODE, parents=True, exist_ok=True)
            for file in (home.identity, home.settings, home.genesis, home.store):
                if os.path.lexists(file):
                    raise HomeExists(f"{path}: there is a node here already ({file.name}); choose another directory")
            path.chmod(_MODE)
        except OSError as error:
            raise HomeMissing(f"{path}: cannot make this directory ({error.strerror}); choose another one") from error
        return home

    @staticmethod
    def find(path: Path) -> "Home":
        """The home of a node that was made before.

        Raises:
            HomeMissing: there is none, or its identity or settings are not there; the message says how to make one.
        """
        home = Home(path)
        if not path.is_dir():
            raise HomeMissing(f"{path}: there is no node here; make one: moot init --home {path}")
        missing = [file.name for file in (home.identity, home.settings) if not file.is_file()]
        if missing:
            raise HomeMissing(
                f"{path}: not a whole node, {' and '.join(missing)} not there; put them back, or make a new node in"
                " another directory: moot init --home DIR"
            )
        return home

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep every other process out of this home until the block ends, however this process ends.

        Raises:
            HomeInUse: another process is in; the message names it.
            HomeMissing: the lock file cannot be written.
        """
        try:
            descriptor = os.open(self.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise HomeMissing(f"{self.lock}: cannot be written ({error.strerror}); check its permissions") from error
        try:
            _lock(self.path, descriptor)
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
            yield
        finally:
            os.close(descriptor)  # This unlocks. The file stays: whoever removed it could remove another's lock.


def _lock(path: Path, descriptor: int) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
            raise HomeMissing(f"{path}: this file system cannot lock ({error.strerror}); use a local disk") from error
        holder = os.pread(descriptor, 20, 0).decode(errors="replace").strip()
        whose = f"process {holder}" if holder.isdigit() else "another process"
        raise HomeInUse(f"{path}: {whose} uses this home; stop it first, or name another home with --home") from error

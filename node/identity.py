"""This node's identity: an Ed25519 key in a file that only its owner can read."""

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from coordinator.signed import NodeId
from node.errors import Exit, NodeError

KEY_FILE_SIZE_MAX = 4_096
"""An Ed25519 key in PEM takes 119 bytes; whatever is much longer is another file."""


class KeyFileError(NodeError):
    """The identity cannot be written or read. The message says what to do."""

    exit_code = Exit.IDENTITY


@dataclass(frozen=True, slots=True)
class Keypair:
    """An Ed25519 key. The node id is its public half; the private half never shows in a text."""

    node: NodeId
    _private: Ed25519PrivateKey = field(repr=False, compare=False)

    @staticmethod
    def generate() -> "Keypair":
        """A new key, in memory only."""
        return _keypair(Ed25519PrivateKey.generate())

    @staticmethod
    def from_seed(seed: bytes) -> "Keypair":
        """The key that these 32 bytes give, always the same: for simulated members, whose keys are no secret."""
        return _keypair(Ed25519PrivateKey.from_private_bytes(seed))

    def sign(self, data: bytes) -> bytes:
        """Ed25519 (RFC 8032), 64 bytes; the same data gives the same signature."""
        return self._private.sign(data)


def create(path: Path) -> Keypair:
    """Make a new identity and keep it in a new file (PKCS 8, PEM, mode 0600), on disk before this returns.

    A folder that does not exist yet is made with mode 0700.

    Raises:
        KeyFileError: there is a file already, which is never overwritten, or the disk refuses.
    """
    private = Ed25519PrivateKey.generate()
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write_new(path, private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    except FileExistsError as error:
        raise KeyFileError(
            f"{path}: there is an identity already, and another one cannot be put over it; "
            "use it, or move it away if this node shall become a different one"
        ) from error
    except OSError as error:
        raise KeyFileError(f"{path}: cannot write the identity: {error.strerror}") from error
    return _keypair(private)


def load(path: Path) -> Keypair:
    """Read the identity.

    Raises:
        KeyFileError: no such file, others may read it, or it holds no unencrypted Ed25519 key.
    """
    data = _read_private(path)
    try:
        private = load_pem_private_key(data, password=None)
    except TypeError as error:
        raise KeyFileError(f"{path}: the key is encrypted; store it unencrypted (openssl pkey -in FILE)") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise KeyFileError(f"{path}: no private key in PEM format; restore the file from a backup") from error
    if not isinstance(private, Ed25519PrivateKey):
        raise KeyFileError(f"{path}: a key of another kind than Ed25519; restore the file from a backup")
    return _keypair(private)


def _keypair(private: Ed25519PrivateKey) -> Keypair:
    return Keypair(private.public_key().public_bytes_raw(), private)


def _write_new(path: Path, data: bytes) -> None:
    """The file is never there with wider permissions, nor left behind half written."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        path.unlink()
        raise
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _read_private(path: Path) -> bytes:
    """Permissions are read from the open file, so that it cannot be exchanged in between."""
    try:
        # Without O_NONBLOCK, a named pipe in the file's place would be waited on for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise KeyFileError(f"{path}: not a file; check the path")
            if status.st_mode & 0o077:
                raise KeyFileError(f"{path}: others than its owner may use this key; run: chmod 600 {path}")
            if status.st_size > KEY_FILE_SIZE_MAX:
                raise KeyFileError(f"{path}: {status.st_size} bytes are no identity; check the path")
            return os.read(descriptor, KEY_FILE_SIZE_MAX)
        finally:
            os.close(descriptor)
    except FileNotFoundError as error:
        raise KeyFileError(f"{path}: no such identity; check the path, or make one: moot init") from error
    except OSError as error:
        raise KeyFileError(f"{path}: cannot read the identity: {error.strerror}") from error

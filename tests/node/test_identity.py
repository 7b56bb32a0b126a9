"""The identity file: private, never overwritten, and refused with a word on what to do."""

import os
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)

from node.errors import Exit
from node.identity import KEY_FILE_SIZE_MAX, KeyFileError, Keypair, create, load


def private_file(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    path.chmod(0o600)
    return path


def pem(encryption: KeySerializationEncryption) -> bytes:
    return Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)


def test_what_was_created_is_loaded(tmp_path: Path) -> None:
    """A node that is started again must be the same node."""
    made = create(tmp_path / "home" / "identity.pem")
    loaded = load(tmp_path / "home" / "identity.pem")
    assert loaded.node == made.node
    assert len(made.node) == 32
    assert loaded.sign(b"x") == made.sign(b"x")
    Ed25519PublicKey.from_public_bytes(made.node).verify(made.sign(b"x"), b"x")


def test_nobody_else_can_read_it(tmp_path: Path) -> None:
    """Whoever reads the key is this node."""
    umask = os.umask(0)
    try:
        create(tmp_path / "home" / "identity.pem")
    finally:
        os.umask(umask)
    assert stat.S_IMODE((tmp_path / "home" / "identity.pem").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "home").stat().st_mode) == 0o700


def test_an_identity_is_never_overwritten(tmp_path: Path) -> None:
    """It cannot be made again: the moot would lose a member."""
    made = create(tmp_path / "identity.pem")
    with pytest.raises(KeyFileError, match="there is an identity already"):
        create(tmp_path / "identity.pem")
    assert load(tmp_path / "identity.pem").node == made.node


def test_nothing_is_left_where_the_disk_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half an identity would have to be removed by hand before the next try."""

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(KeyFileError, match="No space left"):
            create(tmp_path / "identity.pem")
    assert list(tmp_path.iterdir()) == []
    create(tmp_path / "identity.pem")


@pytest.mark.parametrize("mode", [0o604, 0o640, 0o660, 0o666, 0o601])
def test_a_key_that_others_may_use_is_refused(tmp_path: Path, mode: int) -> None:
    """It may be known to others already; the operator has to see to it."""
    create(tmp_path / "identity.pem")
    (tmp_path / "identity.pem").chmod(mode)
    with pytest.raises(KeyFileError, match="run: chmod 600 ") as caught:
        load(tmp_path / "identity.pem")
    assert caught.value.exit_code is Exit.IDENTITY
    (tmp_path / "identity.pem").chmod(0o400)
    load(tmp_path / "identity.pem")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(b"", "no private key in PEM", id="empty"),
        pytest.param(b"\0" * 32, "no private key in PEM", id="raw bytes"),
        pytest.param(pem(NoEncryption())[:60], "no private key in PEM", id="cut short"),
        pytest.param(pem(NoEncryption()).replace(b"M", b"N", 1), "no private key in PEM", id="damaged"),
        pytest.param(b"x" * (KEY_FILE_SIZE_MAX + 1), "4097 bytes are no identity", id="too long"),
        pytest.param(pem(BestAvailableEncryption(b"secret")), "the key is encrypted", id="encrypted"),
        pytest.param(
            generate_private_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
            "another kind than Ed25519",
            id="another kind",
        ),
    ],
)
def test_what_is_no_identity_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    """A person has to read what is wrong, not a traceback."""
    with pytest.raises(KeyFileError, match=said):
        load(private_file(tmp_path / "identity.pem", content))


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    """A missing file says how to make one; a pipe in its place must not be waited on."""
    with pytest.raises(KeyFileError, match=r"no such identity.*moot init"):
        load(tmp_path / "identity.pem")
    os.mkfifo(tmp_path / "pipe", 0o600)
    for place in (tmp_path / "pipe", tmp_path):
        with pytest.raises(KeyFileError, match="not a file"):
            load(place)


def test_the_private_half_does_not_show() -> None:
    """Keypairs end up in logs and tracebacks."""
    assert "private" not in repr(Keypair.generate()).lower()

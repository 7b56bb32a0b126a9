"""How files of a hub are written, and which addresses are asked at all."""

from pathlib import Path

import httpx
import pytest

from node.model.hub.errors import HubNameInvalid
from node.model.hub.names import Endpoint, HubFile, cache_folder, may_be_asked


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hf:ada/tiny/tiny.gguf", HubFile("ada", "tiny", "tiny.gguf", "main")),
        ("hf:ada/tiny/q4/tiny.GGUF@v1.0", HubFile("ada", "tiny", "q4/tiny.GGUF", "v1.0")),
        ("hf:ada/tiny-1.5B_x/a@b.gguf@refs/pr/1", HubFile("ada", "tiny-1.5B_x", "a@b.gguf", "refs/pr/1")),
    ],
)
def test_read(text: str, expected: HubFile) -> None:
    assert HubFile.read(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "hf:",
        "hf:tiny.gguf",
        "hf:ada/tiny",
        "hf:ada/tiny/",
        "hf:ada/tiny/tiny.safetensors",
        "hf:ada/tiny/tiny.gguf@",
        "hf:ada/tiny/tiny.gguf@../../etc",
        "hf:ada/tiny/tiny.gguf@a b",
        "hf:../tiny/tiny.gguf",
        "hf:ada/../tiny.gguf",
        "hf:ada/..tiny/tiny.gguf",
        "hf:ada/tiny/../../../tiny.gguf",
        "hf:ada/tiny//tiny.gguf",
        "hf:ada/tiny/a\\b.gguf",
        "hf:ada/tiny/a\x1b[31m.gguf",
        "hf:ada/tiny/" + 600 * "a" + ".gguf",
        "hf:a da/tiny/tiny.gguf",
        "hf:ada/tiny/tiny-00001-of-00003.gguf",
    ],
)
def test_what_no_file_is_called(text: str) -> None:
    """A name becomes a path on this disk: none may lead out of the cache."""
    with pytest.raises(HubNameInvalid):
        HubFile.read(text)


def test_address_and_place() -> None:
    file = HubFile("ada", "tiny", "q 4/ti?ny.gguf", "refs/pr/1")
    address = Endpoint(httpx.URL("https://hub.example/mirror")).address(file, file.revision)
    assert str(address) == "https://hub.example/mirror/ada/tiny/resolve/refs%2Fpr%2F1/q%204/ti%3Fny.gguf"
    commit = "0" * 40
    assert file.place(Path("c"), commit) == Path("c/ada/tiny") / f"refs-pr-1-{commit}" / "q 4/ti?ny.gguf"
    assert HubFile("a", "b", "c.gguf", commit).place(Path("c"), commit) == Path("c/a/b") / commit / "c.gguf"


def test_cache_folder() -> None:
    """A relative folder is to be ignored (XDG Base Directory Specification)."""
    assert cache_folder({"XDG_CACHE_HOME": "/big"}) == Path("/big/moot/models")
    assert cache_folder({"XDG_CACHE_HOME": "big"}) == cache_folder({}) == Path.home() / ".cache/moot/models"


@pytest.mark.parametrize(
    ("environment", "url", "token"),
    [
        ({}, "https://huggingface.co", None),
        ({"HF_ENDPOINT": "https://hub.example/", "HF_TOKEN": " hf_x\n"}, "https://hub.example", "hf_x"),
        ({"HF_ENDPOINT": "http://[::1]:8000"}, "http://[::1]:8000", None),
        ({"HF_ENDPOINT": "http://localhost:8000"}, "http://localhost:8000", None),
    ],
)
def test_endpoint(environment: dict[str, str], url: str, token: str | None) -> None:
    endpoint = Endpoint.of(environment)
    assert (str(endpoint.url), endpoint.token) == (url, token)
    assert "hf_x" not in repr(endpoint)


@pytest.mark.parametrize(
    "environment",
    [
        {"HF_ENDPOINT": "http://hub.example"},
        {"HF_ENDPOINT": "http://127.0.0.1.example"},
        {"HF_ENDPOINT": "hub.example"},
        {"HF_ENDPOINT": "ftp://hub.example"},
        {"HF_ENDPOINT": "https://user:secret@hub.example"},
        {"HF_ENDPOINT": "https://hub.example?x"},
        {"HF_ENDPOINT": "https://[::1"},
        {"HF_TOKEN": "hf_x hf_y"},
        {"HF_TOKEN": "hf_\x00"},
    ],
)
def test_endpoints_that_cannot_work(environment: dict[str, str]) -> None:
    with pytest.raises(HubNameInvalid) as caught:
        Endpoint.of(environment)
    assert "secret" not in str(caught.value)
    assert "hf_y" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "local", "may"),
    [
        ("https://cdn.example/x", False, True),
        ("http://cdn.example/x", False, False),
        ("http://cdn.example/x", True, False),
        ("http://127.0.0.1/x", False, False),
        ("http://127.0.0.1/x", True, True),
        ("file:///etc/passwd", True, False),
        ("", True, False),
    ],
)
def test_may_be_asked(url: str, local: bool, may: bool) -> None:
    """A hub elsewhere must not send us to what listens on this machine."""
    assert may_be_asked(httpx.URL(url), local) is may

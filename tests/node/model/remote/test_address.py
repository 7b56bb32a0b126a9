"""How a model behind a server is written, and what is refused before anything is asked."""

import pytest

from node.model.remote.address import ServerAddress, is_remote, key_of


@pytest.mark.parametrize(
    ("text", "remote"),
    [
        ("http://127.0.0.1:8080/v1#toy", True),
        ("https://models.example/v1#toy", True),
        ("http:", False),
        ("models/http.gguf", False),
        ("reference:sage", False),
        ("hf:ada/tiny/tiny.gguf", False),
    ],
)
def test_is_remote(text: str, remote: bool) -> None:
    assert is_remote(text) is remote


@pytest.mark.parametrize(
    ("text", "url", "model", "root", "place"),
    [
        ("http://127.0.0.1:8080/v1#toy", "http://127.0.0.1:8080/v1", "toy", "http://127.0.0.1:8080", "127.0.0.1:8080"),
        ("http://[::1]:1/v1/", "http://[::1]:1/v1", "", "http://[::1]:1", "[::1]:1"),
        (
            "http://localhost:11434/v1#a/b:7b",
            "http://localhost:11434/v1",
            "a/b:7b",
            "http://localhost:11434",
            "localhost:11434",
        ),
        ("https://api.example/x/v1#a#b", "https://api.example/x/v1", "a#b", "https://api.example/x", "api.example"),
    ],
)
def test_read(text: str, url: str, model: str, root: str, place: str) -> None:
    address = ServerAddress.read(text)
    assert (address.url, address.model, address.root, address.place) == (url, model, root, place)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("http://", "no address"),
        ("http:///v1#toy", "no address"),
        ("http://127.0.0.1:99999/v1#toy", "no address"),
        ("http://[::1/v1#toy", "no address"),
        ("http://127.0.0.1:1/v1 x#toy", "no address"),
        ("http://127.0.0.1:1/\x1b#toy", "no address"),
        ("http://192.0.2.1/v1#toy", "read and change"),
        ("http://127.0.0.1.example/v1#toy", "read and change"),
        ("https://me:secret@models.example/v1#toy", "MOOT_MODEL_API_KEY"),
        ("https://models.example/v1?key=secret#toy", "MOOT_MODEL_API_KEY"),
        ("http://127.0.0.1:1/v1# toy", "name of a model"),
        ("http://127.0.0.1:1/v1#" + 300 * "a", "name of a model"),
    ],
)
def test_what_cannot_be_an_address(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said) as caught:
        ServerAddress.read(text)
    assert "secret" not in str(caught.value)


def test_the_key_comes_from_the_environment() -> None:
    assert key_of({}) is None
    assert key_of({"MOOT_MODEL_API_KEY": " "}) is None
    assert key_of({"MOOT_MODEL_API_KEY": " sk-1\n"}) == "sk-1"
    with pytest.raises(ValueError, match="copy it again"):
        key_of({"MOOT_MODEL_API_KEY": "sk-1 sk-2"})

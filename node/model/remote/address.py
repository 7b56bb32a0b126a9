"""Where a model's server is, as people write it in the settings: http://127.0.0.1:8080/v1#model-name."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from node.model.web import is_loopback

KEY_VARIABLE = "MOOT_MODEL_API_KEY"
"""The environment variable that holds the key, where a server wants one: never in a file that could be passed on."""
MODEL_LENGTH_MAX = 256
_HOW = "write http://127.0.0.1:PORT/v1#MODEL, or https:// for a server elsewhere"


def is_remote(text: str) -> bool:
    """Whether this names a model behind a server, well written or not."""
    return text.startswith(("http://", "https://"))


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """A server, and one of its models.

    Args:
        url: without a slash at the end.
        model: its name there; empty for the only one.
    """

    url: str
    model: str

    @staticmethod
    def read(text: str) -> "ServerAddress":
        """Raises ValueError: what is wrong and how it is written."""
        whole, _, model = text.partition("#")
        try:
            parts = urlsplit(whole)
            host, _ = parts.hostname or "", parts.port
        except ValueError as error:
            raise ValueError(f"{whole!r}: no address ({error}); {_HOW}") from None
        if not is_remote(text) or not host or not whole.isprintable() or " " in whole:
            raise ValueError(f"{whole!r}: no address; {_HOW}")
        if parts.username is not None or parts.password is not None or parts.query:
            raise ValueError(f"{_bare(parts)}: no user, password or ? in the address; a key comes from {KEY_VARIABLE}")
        if parts.scheme == "http" and not is_loopback(host):
            raise ValueError(
                f"{whole}: anybody on the way could read and change what goes there; use https://, or a tunnel to it"
                " (ssh -L)"
            )
        if len(model) > MODEL_LENGTH_MAX or not model.isprintable() or model != model.strip():
            raise ValueError(f"{model[:80]!r}: cannot be the name of a model")
        return ServerAddress(whole.rstrip("/"), model)

    @property
    def root(self) -> str:
        """Where servers have what is not of OpenAI's interface."""
        return self.url.removesuffix("/v1")

    @property
    def place(self) -> str:
        """Host and port, for people."""
        return urlsplit(self.url).netloc

    @property
    def is_local(self) -> bool:
        return is_loopback(urlsplit(self.url).hostname or "")


def key_of(environment: Mapping[str, str]) -> str | None:
    """The key that the server wants, if it wants one.

    Raises:
        ValueError: it cannot be one.
    """
    key = environment.get(KEY_VARIABLE, "").strip()
    if not (key.isascii() and key.isprintable() and " " not in key):
        raise ValueError(f"{KEY_VARIABLE} holds characters that no key has; copy it again")
    return key or None


def _bare(parts: SplitResult) -> str:
    return f"{parts.scheme}://{parts.hostname}"

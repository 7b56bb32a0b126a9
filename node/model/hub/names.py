"""Which file of which hub: how people write it, its address, and its place in the cache.

Source: the address scheme of the Hugging Face Hub, {endpoint}/{owner}/{repository}/resolve/{revision}/{path}, and the
environment variables HF_ENDPOINT and HF_TOKEN of its own clients.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import httpx

from node.model.hub.errors import HubNameInvalid
from node.model.web import is_loopback

PREFIX = "hf:"
DEFAULT_ENDPOINT = "https://huggingface.co"
COMMIT = re.compile(r"[0-9a-f]{40}")

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,95}")
_REVISION = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._/-]{0,254}")
_FILE = re.compile(r"(?P<path>.+\.gguf)(?:@(?P<revision>[^@]*))?", re.IGNORECASE)
_PART_OF_MANY = re.compile(r"-\d{5}-of-\d{5}\.gguf", re.IGNORECASE)
_PATH_LENGTH_MAX = 512


def is_hub_name(text: str) -> bool:
    """Whether this is meant to be a file of a hub, well written or not."""
    return text.startswith(PREFIX)


@dataclass(frozen=True, slots=True)
class HubFile:
    """A GGUF file in a repository of a hub.

    Args:
        path: within the repository, with slashes.
        revision: a branch, a tag or a commit.
    """

    owner: str
    repository: str
    path: str
    revision: str = "main"

    def __str__(self) -> str:
        return f"{PREFIX}{self.owner}/{self.repository}/{self.path}@{self.revision}"

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]

    @property
    def is_pinned(self) -> bool:
        """Named by its commit: it can never change."""
        return COMMIT.fullmatch(self.revision) is not None

    @staticmethod
    def read(text: str) -> "HubFile":
        """Read hf:OWNER/REPOSITORY/PATH.gguf, perhaps with @REVISION after it.

        Raises:
            HubNameInvalid: the message says how it is written.
        """
        owner, _, rest = text.removeprefix(PREFIX).partition("/")
        repository, _, file = rest.partition("/")
        match = _FILE.fullmatch(file)
        if match is None or not all(map(_is_name, (owner, repository))):
            raise HubNameInvalid(f"{text!r}: write hf:OWNER/REPOSITORY/FILE.gguf, or the same with @REVISION after it")
        path, revision = match["path"], "main" if match["revision"] is None else match["revision"]
        if len(path) > _PATH_LENGTH_MAX or not all(map(_is_path_part, path.split("/"))):
            raise HubNameInvalid(f"{text!r}: {path!r} cannot be the path of a file in a repository")
        if _REVISION.fullmatch(revision) is None or ".." in revision:
            raise HubNameInvalid(f"{text!r}: {revision!r} cannot be a branch, a tag or a commit")
        if _PART_OF_MANY.search(path):
            raise HubNameInvalid(
                f"{text!r}: this is one part of a model; choose a file that holds a whole one, or join the parts with:"
                " llama-gguf-split --merge"
            )
        return HubFile(owner, repository, path, revision)

    def folder(self, cache: Path) -> Path:
        """Where all that was fetched from this repository lies."""
        return cache / self.owner / self.repository

    def place(self, cache: Path, commit: str) -> Path:
        """Where the file lies once it is fetched: a changed file on the hub has another commit and another place."""
        version = commit if self.is_pinned else f"{self.revision.replace('/', '-')}-{commit}"
        return self.folder(cache) / version / self.path


def _is_name(text: str) -> bool:
    return _NAME.fullmatch(text) is not None and ".." not in text


def _is_path_part(text: str) -> bool:
    return text not in ("", ".", "..") and text.isprintable() and "\\" not in text


def cache_folder(environment: Mapping[str, str]) -> Path:
    """Where models are kept: under XDG_CACHE_HOME, or ~/.cache without it (XDG Base Directory Specification)."""
    named = Path(environment.get("XDG_CACHE_HOME", ""))
    return (named if named.is_absolute() else Path.home() / ".cache") / "moot" / "models"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A hub.

    Args:
        token: proves to this hub who asks; nobody else is shown it.
    """

    url: httpx.URL
    token: str | None = None

    def __repr__(self) -> str:
        return f"Endpoint({str(self.url)!r})"  # a token in a traceback would be a token in a log

    @staticmethod
    def of(environment: Mapping[str, str]) -> "Endpoint":
        """The hub that HF_ENDPOINT and HF_TOKEN name; the usual one without them.

        Raises:
            HubNameInvalid: no address, one that is not encrypted, or a token that cannot be one.
        """
        text = environment.get("HF_ENDPOINT", "").strip().rstrip("/") or DEFAULT_ENDPOINT
        try:
            url = httpx.URL(text)
        except httpx.InvalidURL as error:
            raise HubNameInvalid(f"HF_ENDPOINT = {text!r}: no address ({error}); such as {DEFAULT_ENDPOINT}") from None
        if not may_be_asked(url, is_loopback(url.host)) or url.userinfo or url.query or url.fragment:
            raise HubNameInvalid(
                f"HF_ENDPOINT: {url!r}: write https://HOST, without user, ? or #; only a hub on this machine may have"
                " http://"
            )
        token = environment.get("HF_TOKEN", "").strip() or None
        if token is not None and not (token.isascii() and token.isprintable() and " " not in token):
            raise HubNameInvalid("HF_TOKEN: holds characters that no token has; copy it again")
        return Endpoint(url, token)

    @property
    def is_local(self) -> bool:
        return is_loopback(self.url.host)

    def address(self, file: HubFile, revision: str) -> httpx.URL:
        parts = (quote(part, safe="") for part in (file.owner, file.repository, "resolve", revision))
        return httpx.URL(f"{str(self.url).rstrip('/')}/{'/'.join(parts)}/{quote(file.path)}")

    def is_home_of(self, url: httpx.URL) -> bool:
        """Whether this address is of the hub itself, so that the token may be shown and the answer's facts believed."""
        return _origin(url) == _origin(self.url)


def may_be_asked(url: httpx.URL, local: bool) -> bool:
    """Only encrypted, but for a `local` hub's on this machine: others could change the file or see the token."""
    return bool(url.host) and (url.scheme == "https" or (url.scheme == "http" and local and is_loopback(url.host)))


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port or {"https": 443, "http": 80}.get(url.scheme)

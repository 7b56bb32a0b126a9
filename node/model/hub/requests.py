"""The two questions to a hub: what is this file, and its bytes from here on. No answer is believed unchecked."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha1, sha256
from typing import TYPE_CHECKING

import httpx

from node.model.hub.errors import HubFileInvalid, HubFileMissing, HubForbidden, HubUnreachable
from node.model.hub.names import COMMIT, Endpoint, HubFile, may_be_asked
from node.model.web import retry_after_s

if TYPE_CHECKING:
    from hashlib import _Hash

SIZE_MAX = 1 << 42
"""4 TiB; what claims to be larger is no model."""
REDIRECTS_MAX = 5
_BUSY = (408, 425, 429, 500, 502, 503, 504)
_FACTS = ("x-repo-commit", "x-linked-size", "x-linked-etag")
_CONTENT_RANGE = re.compile(r"bytes (\d{1,15})-(\d{1,15})/(\d{1,15})")


class Dropped(Exception):
    """Nothing came, or no more; trying again may help.

    Args:
        wait_s: as long as the server asks to wait.
    """

    def __init__(self, reason: str, wait_s: float | None = None) -> None:
        super().__init__(reason)
        self.wait_s = wait_s


@dataclass(frozen=True, slots=True)
class Described:
    """What the hub says of a file.

    Args:
        size: bytes.
        digest: 64 hex digits are SHA-256 of the content; 40 are Git's name of it, which small files have.
    """

    commit: str
    size: int
    digest: str

    def hasher(self) -> "_Hash":
        """To be fed the whole content; then its hexdigest is the digest."""
        if len(self.digest) == 64:
            return sha256()
        return sha1(b"blob %d\0" % self.size, usedforsecurity=False)  # Git's: a hub has no other for small files


@dataclass(frozen=True, slots=True)
class Body:
    """A file's bytes from `start` on. The iterator raises Dropped when they end too early."""

    start: int
    chunks: Iterator[bytes]


class HubRequests:
    """Asks one hub, and follows it to where it stores its files.

    Args:
        connect_ms, read_ms: how long to wait for a connection, and for the next bytes.
    """

    def __init__(self, endpoint: Endpoint, connect_ms: int, read_ms: int) -> None:
        self._endpoint = endpoint
        self._client = httpx.Client(
            timeout=httpx.Timeout(read_ms / 1000, connect=connect_ms / 1000),
            headers={"accept-encoding": "identity", "user-agent": "moot"},  # sizes and ranges are of the file itself
            trust_env=not endpoint.is_local,  # no proxy on the way to this machine itself
        )

    def close(self) -> None:
        self._client.close()

    def describe(self, file: HubFile) -> Described:
        """Ask for the facts alone. Renamed repositories are followed; where the bytes are stored is not asked.

        Raises:
            Dropped, HubError: see there.
        """
        url, facts = self._endpoint.address(file, file.revision), dict[str, str]()
        for _ in range(REDIRECTS_MAX + 1):
            with self._asked("HEAD", url, file) as answer:
                facts |= {name: answer.headers[name] for name in _FACTS if name in answer.headers}
                target = self._target(answer)
                if target is None:
                    facts.setdefault("x-linked-size", answer.headers.get("content-length", ""))
                    facts.setdefault("x-linked-etag", answer.headers.get("etag", ""))
            if target is None or not self._endpoint.is_home_of(target):
                return self._described(facts)
            url = target
        raise HubUnreachable(f"{file}: {self._endpoint.url} answers with redirects without end; check HF_ENDPOINT")

    @contextmanager
    def open(self, file: HubFile, described: Described, start: int) -> Iterator[Body]:
        """The bytes from `start` on; from the beginning if the server cannot do better.

        Raises:
            Dropped, HubError: see there.
        """
        url = self._endpoint.address(file, described.commit)
        headers = {"range": f"bytes={start}-"} if start else {}
        for _ in range(REDIRECTS_MAX + 1):
            with self._asked("GET", url, file, headers) as answer:
                target = self._target(answer)
                if target is None:
                    begin = _start_of(answer, start, described.size)
                    yield Body(begin, _network(answer.iter_raw))
                    return
            url = target
        raise HubUnreachable(f"{file}: {self._endpoint.url} answers with redirects without end; check HF_ENDPOINT")

    @contextmanager
    def _asked(
        self, method: str, url: httpx.URL, file: HubFile, headers: Mapping[str, str] | None = None
    ) -> Iterator[httpx.Response]:
        """An answer whose status is no refusal. Its body is not read, and is dropped at the end."""
        is_home = self._endpoint.is_home_of(url)
        sent = dict(headers or {})
        if is_home and self._endpoint.token is not None:
            sent["authorization"] = f"Bearer {self._endpoint.token}"
        try:
            answer = self._client.send(self._client.build_request(method, url, headers=sent), stream=True)
        except httpx.HTTPError as error:
            raise Dropped(f"{url.host}: {_reason(error)}") from None
        try:
            if answer.status_code >= 400:
                self._refuse(answer, file, is_home)
            yield answer
        finally:
            answer.close()

    def _target(self, answer: httpx.Response) -> httpx.URL | None:
        """Where a redirect leads; None for an answer that is none."""
        if answer.status_code < 300:
            return None
        try:
            target = answer.url.join(answer.headers["location"])
        except (KeyError, httpx.InvalidURL):
            target = httpx.URL("")
        if answer.status_code not in (301, 302, 303, 307, 308) or not may_be_asked(target, self._endpoint.is_local):
            raise HubUnreachable(
                f"{answer.url.host} answers with status {answer.status_code} and sends us to {str(target)[:200]!r},"
                " which is no encrypted address; nothing was fetched from there"
            )
        return target

    def _refuse(self, answer: httpx.Response, file: HubFile, is_home: bool) -> None:
        status, code = answer.status_code, answer.headers.get("x-error-code", "")
        if status in _BUSY or not is_home:  # what the hub sends us to are addresses that hold for minutes
            raise Dropped(f"{answer.url.host} answers with status {status}", retry_after_s(answer.headers))
        page = f"{self._endpoint.url}/{file.owner}/{file.repository}"
        if code == "GatedRepo":
            raise HubForbidden(f"{file}: its owners want their terms accepted at {page}; do so, then set HF_TOKEN")
        if status in (401, 403):
            doing = "set HF_TOKEN" if self._endpoint.token is None else "check that HF_TOKEN is valid and may read it"
            raise HubForbidden(f"{file}: there is no such repository, or it is private; check the spelling, or {doing}")
        if status in (404, 410):
            missing = {
                "EntryNotFound": f"no file {file.path!r} at revision {file.revision!r}",
                "RevisionNotFound": f"no revision {file.revision!r}",
                "RepoNotFound": "no such repository",
            }.get(code, "no such file")
            raise HubFileMissing(f"{file}: {missing}; see what is there at {page}/tree/main")
        raise HubUnreachable(f"{file}: {answer.url.host} refuses with status {status}; check the name and HF_ENDPOINT")

    def _described(self, facts: Mapping[str, str]) -> Described:
        commit, size = facts.get("x-repo-commit", ""), facts.get("x-linked-size", "")
        digest = facts.get("x-linked-etag", "").removeprefix("W/").strip('"').lower()
        if COMMIT.fullmatch(commit) is None or re.fullmatch(r"[0-9a-f]{64}|[0-9a-f]{40}", digest) is None:
            raise HubFileInvalid(
                f"{self._endpoint.url} does not say of which commit the file is and what its digest is, as a hub does;"
                " check HF_ENDPOINT"
            )
        if not (size.isascii() and size.isdigit() and 0 < int(size[:20]) <= SIZE_MAX):
            raise HubFileInvalid(f"{self._endpoint.url} says that the file has {size[:40]!r} bytes; that cannot be")
        return Described(commit, int(size), digest)


def _start_of(answer: httpx.Response, start: int, size: int) -> int:
    """Where the bytes begin that this answer brings. Raises Dropped if they are not the rest of this file."""
    length = answer.headers.get("content-length")
    encoding = answer.headers.get("content-encoding", "identity")
    if encoding != "identity":
        raise Dropped(f"{answer.url.host} sends the file encoded ({encoding[:20]!r}), which was not asked for")
    if answer.status_code == 206:
        match = _CONTENT_RANGE.fullmatch(answer.headers.get("content-range", ""))
        if match is None or tuple(map(int, match.groups())) != (start, size - 1, size):
            raise Dropped(f"{answer.url.host} sends another part of the file than was asked for")
    elif length is not None and length != str(size):
        raise Dropped(f"{answer.url.host} sends {length[:20]} bytes; the hub says that the file has {size}")
    return start if answer.status_code == 206 else 0


def _network(chunks: Callable[[], Iterator[bytes]]) -> Iterator[bytes]:
    try:
        yield from chunks()
    except httpx.HTTPError as error:
        raise Dropped(_reason(error)) from None


def _reason(error: httpx.HTTPError) -> str:
    """For people; some of httpx's errors have no text of their own."""
    match error:
        case httpx.ConnectTimeout():
            return "no connection in time"
        case httpx.TimeoutException():
            return "nothing came for too long"
        case _:
            return str(error)[:200] or type(error).__name__

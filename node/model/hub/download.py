"""Downloads one model from a hub into the cache: resumed, checked, and there only when it is whole."""

import os
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from node.model import gguf_header
from node.model.errors import ModelFileInvalid
from node.model.hub.errors import HubFileInvalid, HubNoRoom, HubUnreachable
from node.model.hub.names import Endpoint, HubFile, cache_folder
from node.model.hub.partial import Partial, drop_others, locked, partial_path
from node.model.hub.requests import Body, Described, Dropped, HubRequests

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadSettings:
    """How long a download is patient."""

    connect_ms: int = 10_000
    read_ms: int = 30_000
    """Without a single byte."""
    slow_window_ms: int = 60_000
    slow_bytes: int = 65_536
    """Fewer in a window, and the connection is given up as dead."""
    tries_max: int = 6
    """In a row of which none brought `progress_bytes`."""
    progress_bytes: int = 1 << 20
    first_tries_max: int = 3
    """While the hub was never heard: then there is probably no network."""
    wait_ms_min: int = 1_000
    wait_ms_max: int = 30_000
    """Between tries the wait doubles between these."""
    asked_wait_ms_max: int = 120_000
    """A server that asks to wait longer is left alone."""
    free_bytes_min: int = 64 << 20
    """Left on the disk beside the file."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a download is.

    Args:
        done, total: bytes; what an earlier try brought counts as done.
        rate: bytes per second since this try began.
    """

    done: int
    total: int
    rate: float


class Watcher:
    """Told what happens; this one does not care."""

    def progressed(self, progress: Progress) -> None:
        """Many times a second."""

    def waits(self, reason: str, seconds: float) -> None:
        """The connection was lost, and the next try comes after so long."""


def download(
    file: HubFile,
    watcher: Watcher | None = None,
    *,
    environment: Mapping[str, str] = os.environ,
    settings: DownloadSettings | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Path:
    """Fetch the file unless it is there, and say where it lies. Interrupted, it goes on from there the next time.

    Raises:
        HubError: the message says what to do.
    """
    cache = cache_folder(environment)
    if file.is_pinned and (place := file.place(cache, file.revision)).is_file():
        return place
    endpoint = Endpoint.of(environment)
    settings = settings or DownloadSettings()
    requests = HubRequests(endpoint, settings.connect_ms, settings.read_ms)
    try:
        return _Download(file, cache, requests, settings, watcher or Watcher(), sleep).run()
    except OSError as error:
        raise HubNoRoom(f"{error.filename or cache}: cannot be written: {error.strerror}") from error
    finally:
        requests.close()


class _Download:
    def __init__(
        self,
        file: HubFile,
        cache: Path,
        requests: HubRequests,
        settings: DownloadSettings,
        watcher: Watcher,
        sleep: Callable[[float], None],
    ) -> None:
        self._file, self._cache, self._requests = file, cache, requests
        self._settings, self._watcher, self._sleep = settings, watcher, sleep
        self._failures = 0
        self._heard = False

    def run(self) -> Path:
        described = self._patiently(lambda: self._requests.describe(self._file))
        place = self._file.place(self._cache, described.commit)
        if _has(place, described) or self._link_equal(place, described):
            return place
        folder = self._file.folder(self._cache)
        place.parent.mkdir(parents=True, exist_ok=True)
        drop_others(folder, self._file, described.digest)
        path = partial_path(folder, self._file, described.digest)
        with locked(path) as opened:
            if _has(place, described):  # another process has just fetched it
                path.unlink()
                return place
            try:
                self._fetch(Partial(opened, described), described)
                _check(path)
            except HubFileInvalid as error:
                path.unlink()
                raise HubFileInvalid(f"{self._file}: {error}") from None
            path.replace(place)
        return place

    def _fetch(self, partial: Partial, described: Described) -> None:
        partial.take_in()
        free = shutil.disk_usage(self._file.folder(self._cache)).free
        needed = described.size - partial.length + self._settings.free_bytes_min
        if free < needed:
            raise HubNoRoom(
                f"{self._file}: needs {needed >> 20} MiB on the disk of {self._cache}, which has {free >> 20} MiB free;"
                " free some, or set XDG_CACHE_HOME to a folder on another disk"
            )
        meter = _Meter(partial.length, described.size, self._settings, self._watcher)
        counted = partial.length
        while not partial.is_whole:
            try:
                with self._requests.open(self._file, described, partial.length) as body:
                    _receive(body, partial, meter)
            except Dropped as dropped:
                partial.flush()
                if partial.length - counted >= self._settings.progress_bytes:
                    self._failures, counted = 0, partial.length
                self._wait(dropped)
        partial.flush(to_disk=True)
        if not partial.is_true:
            raise HubFileInvalid(
                "what came is not what the hub says it has (another digest), and was deleted; try again, and if it is"
                " so again, the file there is damaged or somebody on the way changes it"
            )

    def _link_equal(self, place: Path, described: Described) -> bool:
        """Take the file from another revision's folder, if it is the same there."""
        folder = self._file.folder(self._cache)
        if not folder.is_dir():
            return False
        for other in sorted(path / self._file.path for path in folder.iterdir() if path.is_dir()):
            if _has(other, described) and _is(other, described):
                place.parent.mkdir(parents=True, exist_ok=True)
                place.unlink(missing_ok=True)
                os.link(other, place)
                return True
        return False

    def _patiently(self, ask: Callable[[], T]) -> T:
        while True:
            try:
                answer = ask()
            except Dropped as dropped:
                self._wait(dropped)
            else:
                self._heard, self._failures = True, 0
                return answer

    def _wait(self, dropped: Dropped) -> None:
        """Until the next try. Raises HubUnreachable if there is none."""
        settings = self._settings
        self._failures += 1
        if self._failures >= (settings.tries_max if self._heard else settings.first_tries_max):
            raise HubUnreachable(
                f"{self._file}: could not be fetched: {dropped}; check the network, then try again: it goes on from"
                " where it was"
            )
        if dropped.wait_s is not None and dropped.wait_s * 1000 > settings.asked_wait_ms_max:
            raise HubUnreachable(f"{self._file}: {dropped}, and asks to come again in {dropped.wait_s:.0f} s")
        doubled = min(settings.wait_ms_min << (self._failures - 1), settings.wait_ms_max) / 1000
        seconds = max(doubled, dropped.wait_s or 0.0)
        self._watcher.waits(str(dropped), seconds)
        self._sleep(seconds)


class _Meter:
    """Measures how fast bytes come, and gives up a connection on which nearly none do."""

    def __init__(self, done: int, total: int, settings: DownloadSettings, watcher: Watcher) -> None:
        self._total, self._settings, self._watcher = total, settings, watcher
        self._began, self._came = time.monotonic(), 0
        self.connected()
        watcher.progressed(Progress(done, total, 0.0))

    def connected(self) -> None:
        self._window_began, self._window_came = time.monotonic(), 0

    def came(self, size: int, done: int) -> None:
        now = time.monotonic()
        self._came += size
        self._window_came += size
        self._watcher.progressed(Progress(done, self._total, self._came / max(now - self._began, 1e-3)))
        if (now - self._window_began) * 1000 >= self._settings.slow_window_ms:
            if self._window_came < self._settings.slow_bytes:
                raise Dropped(f"only {self._window_came} bytes came in {now - self._window_began:.0f} s")
            self._window_began, self._window_came = now, 0


def _receive(body: Body, partial: Partial, meter: _Meter) -> None:
    if body.start != partial.length:
        partial.start_over()
    meter.connected()
    for chunk in body.chunks:
        partial.add(chunk)
        meter.came(len(chunk), partial.length)
    if not partial.is_whole:
        raise Dropped("the connection was closed too early")


def _has(place: Path, described: Described) -> bool:
    return place.is_file() and place.stat().st_size == described.size


def _is(place: Path, described: Described) -> bool:
    hasher = described.hasher()
    with place.open("rb") as opened:
        while chunk := opened.read(1 << 20):
            hasher.update(chunk)
    return hasher.hexdigest() == described.digest


def _check(path: Path) -> None:
    try:
        gguf_header.check(path)
    except ModelFileInvalid as error:
        raise HubFileInvalid(f"not a usable model: {error.fields[1]}; choose another file of the repository") from None

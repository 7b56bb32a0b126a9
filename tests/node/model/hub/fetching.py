"""Downloads from the fake hub into a folder of a test's own, without really waiting."""

import hashlib
from pathlib import Path

from node.model.hub.download import DownloadSettings, Progress, Watcher, download
from node.model.hub.names import HubFile
from node.model.hub.partial import SUFFIX, partial_path
from tests.node.model.hub.hub_server import NAME, FakeHub

FILE = HubFile.read(NAME)
QUICK = DownloadSettings(
    connect_ms=2_000,
    read_ms=300,
    slow_window_ms=200,
    slow_bytes=1_000,
    progress_bytes=1_000,
    wait_ms_min=1_000,
    free_bytes_min=0,
)


class Heard(Watcher):
    def __init__(self) -> None:
        self.progress: list[Progress] = []
        self.waited: list[tuple[str, float]] = []

    def progressed(self, progress: Progress) -> None:
        self.progress.append(progress)

    def waits(self, reason: str, seconds: float) -> None:
        self.waited.append((reason, seconds))


class Fetch:
    """Downloads into a folder of its own, without really waiting."""

    def __init__(self, hub: FakeHub, home: Path) -> None:
        self.environment = {"HF_ENDPOINT": hub.url, "XDG_CACHE_HOME": str(home), "HF_TOKEN": "hf_secret"}
        self.cache = home / "moot" / "models"
        self.slept: list[float] = []
        self.heard = Heard()

    def __call__(self, name: str = NAME, settings: DownloadSettings = QUICK) -> Path:
        return download(
            HubFile.read(name), self.heard, environment=self.environment, settings=settings, sleep=self.slept.append
        )

    def partials(self) -> list[Path]:
        return sorted(self.cache.rglob(f"*{SUFFIX}"))

    def partial(self, content: bytes) -> Path:
        return partial_path(self.cache / "ada" / "tiny", FILE, hashlib.sha256(content).hexdigest())

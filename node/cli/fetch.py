"""Shows a model's download: a bar for a person at a terminal, a line now and then for everything else."""

import time
from types import TracebackType

from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn, TransferSpeedColumn
from rich.progress import Progress as Bars

from node.cli.terminal import console, is_plain, say
from node.model.hub.download import Progress, Watcher, download
from node.model.hub.names import HubFile

LINE_EVERY_S = 10.0
_MIB = 1 << 20


def fetch(text: str) -> str:
    """Download what hf:OWNER/REPOSITORY/FILE.gguf names, unless it was before; the path of the file.

    Raises:
        HubError: it cannot be had; the message says what to do.
    """
    file = HubFile.read(text)
    with _Lines(file.name) if is_plain(error=True) else _Bar(file.name) as shown:
        try:
            place = download(file, shown)
        except KeyboardInterrupt:
            shown.say(f"stopped at {_amount(shown.last)}; what came is kept: the same command goes on from there")
            raise
    return str(place)


class _Shown(Watcher):
    """What was last heard of a download."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.last = Progress(0, 0, 0.0)

    def __enter__(self) -> "_Shown":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def say(self, text: str) -> None:
        say(text)

    def waits(self, reason: str, seconds: float) -> None:
        self.say(f"{reason}; trying again in {seconds:.0f} s")


class _Lines(_Shown):
    """One line at the start, one every ten seconds, one at the end."""

    _said = float("-inf")

    def progressed(self, progress: Progress) -> None:
        self.last = progress
        now = time.monotonic()
        if now - self._said >= LINE_EVERY_S or progress.done == progress.total:
            self._said = now
            self.say(f"{self._name}: {_amount(progress)}, {progress.rate / _MIB:.1f} MiB/s")


class _Bar(_Shown):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(binary_units=True))
        self._bars = Bars(*columns, TransferSpeedColumn(), TimeRemainingColumn(), console=console(error=True))
        self._task = self._bars.add_task(name, total=None, visible=False)  # nothing to show for what is there already

    def __enter__(self) -> "_Bar":
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def say(self, text: str) -> None:
        self._bars.console.print(text, soft_wrap=True)

    def progressed(self, progress: Progress) -> None:
        self.last = progress
        self._bars.update(self._task, completed=progress.done, total=progress.total, visible=True)


def _amount(progress: Progress) -> str:
    return f"{progress.done / _MIB:,.1f} of {progress.total / _MIB:,.1f} MiB"

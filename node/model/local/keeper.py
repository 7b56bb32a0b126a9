"""Keeps the model's process running: it is started again whenever it ended, more and more slowly until it serves."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress

from node.model.errors import ModelError
from node.model.local.child import Child
from node.model.local.settings import ModelState, ProcessSettings

log = logging.getLogger(__name__)


class Keeper:
    """The present run of the process, or why there is none.

    Args:
        start: starts one run and makes it ready to serve; raises ModelError.
        on_state: called on the event loop whenever the process came up or went down.
    """

    def __init__(
        self,
        start: Callable[[], Awaitable[Child]],
        settings: ProcessSettings,
        on_state: Callable[[ModelState], None],
    ) -> None:
        self._start = start
        self._settings = settings
        self._on_state = on_state
        self._starts = 0
        self._failures = 0  # starts since a request was served last
        self._task: asyncio.Task[None] | None = None
        self.child: Child | None = None
        self.down = "was not started"
        """Why there is no child."""

    async def start(self) -> Child:
        """Raises ModelError; then nothing runs and start may be called again."""
        assert self._task is None, "started twice"
        child = await self._start_child()
        self._task = asyncio.create_task(self._keep(child))
        return child

    async def close(self) -> Child | None:
        """Start none again. The child, which still runs, is no longer kept, and returned."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        child, self.child, self.down = self.child, None, "was closed"
        return child

    def went_down(self, child: Child, reason: str) -> None:
        """The child has ended, or is to be asked no more. May be called again."""
        if self.child is child:
            self.child = None
            self._failures = 0 if child.served else self._failures + 1
            self._tell_down(reason)

    async def _start_child(self) -> Child:
        self._starts += 1
        child = await self._start()
        self.child = child
        self._tell(True, f"{child.info.name} of {child.info.parameters} parameters, process {child.pid}")
        return child

    async def _keep(self, child: Child) -> None:
        while True:
            self.went_down(child, await child.ended())
            while self.child is None:
                await asyncio.sleep(self._restart_ms() / 1000)
                try:
                    child = await self._start_child()
                except ModelError as error:
                    self._failures += 1
                    self._tell_down(f"cannot be started again: {error}")

    def _restart_ms(self) -> int:
        doublings = min(self._failures, 20)  # beyond the maximum anyway
        return min(self._settings.restart_ms_min << doublings, self._settings.restart_ms_max)

    def _tell_down(self, reason: str) -> None:
        self.down = f"{reason}; next start in {self._restart_ms()} ms"
        self._tell(False, self.down)

    def _tell(self, up: bool, reason: str) -> None:
        try:
            self._on_state(ModelState(up, reason, self._starts))
        except Exception:  # A listener's bug must not end the keeper: nobody would start the process again.
            log.exception("model.on_state_failed up=%s", up)

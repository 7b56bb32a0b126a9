"""Runs one node from its home until it is told to stop: opens its parts, wires them together, closes them in order."""

import asyncio
import logging
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from node.api import StatusReport
from node.control import ControlServer
from node.desk import Desk
from node.home import Home
from node.membership.events import SendFailed
from node.model.requests import AdapterUse
from node.parts import listen, make_membership, make_moot, make_server, open_ground, open_model
from node.shell import ModelSettings, Shell
from node.transport.client import Outbox
from node.transport.rejections import Reason
from node.transport.server import status_of

log = logging.getLogger("moot")

OUTDATED = status_of(Reason.OUTDATED).name
"""How a peer refuses what an older process with our identity sends."""
JOIN_WAIT_S = 5.0
"""How long a start looks for the others before it reports that it runs all the same: they may all be away."""
LEAVE_WAIT_S = 2.0
"""How long a stopping node says goodbye."""


async def run(home: Path, *, ready: Callable[[StatusReport], None]) -> None:
    """Run the node of a home until SIGTERM or SIGINT.

    Args:
        home: a directory that `moot init` made and that has a genesis document.
        ready: called once: when the node has met a quorum and takes part in decisions, or after `JOIN_WAIT_S`.
            Peers and this node's own people reach it before.
    Raises:
        NodeError: something that a person has to put right; the node has stopped and lost nothing.
    """
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    async with opened(home) as (shell, desk, serving):
        stop, joined = asyncio.create_task(stopped.wait()), asyncio.create_task(shell.until(lambda: desk.joined))
        await asyncio.wait({serving, stop, joined}, timeout=JOIN_WAIT_S, return_when=asyncio.FIRST_COMPLETED)
        joined.cancel()
        if not serving.done() and not stop.done():
            ready(desk.status())
            await asyncio.wait({serving, stop}, return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()
        if not serving.done():
            await shell.leave(LEAVE_WAIT_S)
        if serving.done():
            await serving  # It ended by itself: with an error for people, or one of ours.


@asynccontextmanager
async def opened(home_path: Path) -> AsyncIterator[tuple[Shell, Desk, "asyncio.Task[None]"]]:
    """A running node, from its home. What fails to open leaves nothing open."""
    home = Home.find(home_path)
    async with AsyncExitStack() as stack:
        ground = open_ground(home, stack)
        engine, model_report = await open_model(ground.settings.model, stack)
        info = await engine.describe()
        shells: list[Shell] = []  # The server comes first: only then is the port known, and with it our own address.
        moot = make_moot(ground)
        server = make_server(ground, moot.ledger, shells)
        address = await listen(server, ground.settings)
        stack.push_async_callback(server.stop)

        def failed(to: bytes | None, address: str, local: bool, reason: str) -> None:
            log.debug("send.failed peer=%.8s address=%r reason=%r", to.hex() if to else "?", address, reason)
            if to is not None and reason.startswith(OUTDATED):
                shell.was_called_outdated(to)
            shell.post(SendFailed(to, address, local))

        outbox = Outbox(signer=ground.signer, moot=ground.genesis.moot_id, epoch=ground.epoch, on_failed=failed)
        stack.push_async_callback(outbox.close)
        name = ground.settings.node.name
        desk = Desk(ground.genesis, ground.signer, name, address, model_report, home.standing)
        model = ground.settings.model
        shell = Shell(
            moot=moot,
            membership=make_membership(ground, moot.ledger, address),
            store=ground.store,
            outbox=outbox,
            engine=engine,
            model=ModelSettings(
                round(model.temperature * 1_000),
                model.tokens_max,
                at_once=info.parallel,
                adapters=tuple(AdapterUse(adapter.digest) for adapter in info.adapters),
            ),
            watch=desk.watch,
        )
        desk.open(shell)
        shells.append(shell)
        stack.push_async_callback(shell.stop_generating)
        control = ControlServer(desk, home.path)
        await control.start()
        stack.push_async_callback(control.stop)
        serving = asyncio.create_task(shell.run())
        stack.push_async_callback(_end, serving)
        yield shell, desk, serving


async def _end(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

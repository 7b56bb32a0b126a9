"""When a start says that the node runs: scripts wait for that line, and ask right after it."""

import asyncio
import signal
from pathlib import Path
from typing import Any

import pytest

from node.api import StatusReport
from node.errors import NodeError
from node.runtime import run
from tests.integration.moots import PATIENCE_S, LocalMoot


async def first_report(home: Path) -> StatusReport:
    """Run the node of this home in this process until it reports, then stop it as an operator does."""
    reported: asyncio.Future[StatusReport] = asyncio.get_running_loop().create_future()
    running = asyncio.create_task(run(home, ready=reported.set_result))
    try:
        async with asyncio.timeout(PATIENCE_S):
            waits: set[asyncio.Future[Any]] = {reported, running}
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            if not running.done():
                signal.raise_signal(signal.SIGTERM)
            await running
    finally:
        running.cancel()
    return reported.result()


async def test_a_start_reports_once_the_node_takes_part(five: LocalMoot, monkeypatch: pytest.MonkeyPatch) -> None:
    five.end("sage")
    monkeypatch.setattr("node.runtime.JOIN_WAIT_S", PATIENCE_S)
    status = await first_report(five.home("sage"))
    assert not status["watching"]
    assert status["members_alive"] >= status["threshold"]


async def test_a_start_reports_also_where_nobody_else_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("node.runtime.JOIN_WAIT_S", 0.1)
    with LocalMoot(tmp_path / "moot") as moot:
        moot.found("alone")
        status = await first_report(moot.home("sage"))
    assert (status["watching"], status["members_alive"], status["members"]) == (True, 1, 5)


async def test_a_start_that_fails_reports_nothing(tmp_path: Path) -> None:
    with LocalMoot(tmp_path / "moot") as moot:
        moot.found("alone")
        (moot.home("sage") / "genesis.json").write_text("{}")
        with pytest.raises(NodeError, match="genesis"):
            await first_report(moot.home("sage"))

"""A node's shell for tests: a whole one, but for whoever listens on its address."""

from collections.abc import Callable
from typing import Any

from node.model.engine import Engine
from node.parts import Ground, make_membership, make_moot
from node.shell import ModelSettings, Shell
from node.transport.client import Outbox


def shell_on(
    ground: Ground,
    outbox: Outbox,
    engine: Engine,
    model: ModelSettings,
    watch: Callable[[Any], None] = lambda event: None,
) -> Shell:
    moot = make_moot(ground)
    return Shell(
        moot=moot,
        membership=make_membership(ground, moot.ledger, "127.0.0.1:7400"),
        store=ground.store,
        outbox=outbox,
        engine=engine,
        model=model,
        watch=watch,
    )

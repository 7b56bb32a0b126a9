"""A node that writes down every voting statement that it hears, so that a test can hold its author to it."""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from coordinator.messages import Records
from coordinator.signed import Kind, NodeId
from coordinator.voting.newness import contradiction
from coordinator.voting.statement import Statement, decode
from node.runtime import run
from node.shell import Shell
from node.transport.wire import Message


class ListeningShell(Shell):
    """Otherwise the node as it is."""

    def deliver(self, sender: NodeId, messages: Sequence[Message]) -> None:
        records = [record for message in messages if isinstance(message, Records) for record in message.records]
        with HEARD.open("a") as file:
            file.writelines(f"{record.body.hex()}\n" for record in records if record.kind is Kind.STATEMENT)
        super().deliver(sender, messages)


def contradictions(heard: Path) -> list[str]:
    """What members said that they may not have said both, in the order in which it was heard."""
    said: dict[tuple[NodeId, int], list[Statement]] = {}
    found = []
    for line in dict.fromkeys(heard.read_text().splitlines()):
        new = decode(bytes.fromhex(line))
        before = said.setdefault((new.node, new.slot), [])
        for old in before:
            if why := contradiction(old, new):
                found.append(f"{new.node.hex()[:8]} in slot {new.slot}: {why}: {old} {new}")
        before.append(new)
    return found


if __name__ == "__main__":
    HEARD = Path(sys.argv[2])
    HEARD.touch()
    import node.runtime

    node.runtime.Shell = ListeningShell  # type: ignore[misc]
    asyncio.run(run(Path(sys.argv[1]), ready=lambda status: None))

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


def listen(heard: Path) -> None:
    """From now on a shell of this process writes down what it is handed. Otherwise the node is as it is."""
    deliver = Shell.deliver

    def deliver_heard(shell: Shell, sender: NodeId, messages: Sequence[Message]) -> None:
        records = [record for message in messages if isinstance(message, Records) for record in message.records]
        with heard.open("a") as file:
            file.writelines(f"{record.body.hex()}\n" for record in records if record.kind is Kind.STATEMENT)
        deliver(shell, sender, messages)

    Shell.deliver = deliver_heard  # type: ignore[assignment, method-assign]


def statements(heard: Path) -> list[Statement]:
    """What was heard, each once, in the order in which it came. The last line may still be in writing."""
    lines = heard.read_text().split("\n")[:-1]
    return [decode(bytes.fromhex(line)) for line in dict.fromkeys(lines)]


def contradictions(heard: Path) -> list[str]:
    """What members said that they may not have said both, in the order in which it was heard."""
    said: dict[tuple[NodeId, int], list[Statement]] = {}
    found = []
    for new in statements(heard):
        before = said.setdefault((new.node, new.slot), [])
        for old in before:
            if why := contradiction(old, new):
                found.append(f"{new.node.hex()[:8]} in slot {new.slot}: {why}: {old} {new}")
        before.append(new)
    return found


if __name__ == "__main__":
    Path(sys.argv[2]).touch()
    listen(Path(sys.argv[2]))
    asyncio.run(run(Path(sys.argv[1]), ready=lambda _: None))

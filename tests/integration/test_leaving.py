"""How a node goes: told to stop, or cut off. What it leaves behind either way."""

from node.control_client import socket_path
from node.errors import Exit
from tests.integration.moots import LocalMoot, processes_of, wait_until


def test_a_node_that_is_told_to_stop_says_goodbye(five: LocalMoot) -> None:
    """The others know at once that it left, take it for dead at no time, and nothing of it remains."""
    home, others = five.home("almanac"), [name for name in five.names if name != "almanac"]
    peer = next(member["node"][:8] for member in five.client("sage").members() if member["name"] == "almanac")
    deaths = [five.log(name).count(f"member.dead peer={peer}") for name in others]
    socket = socket_path(home)
    assert socket.exists()
    assert len(processes_of(home)) == 2, "the node and its model"
    assert five.end("almanac") == Exit.OK
    assert processes_of(home) == {}
    assert not socket.exists()
    five.wait_seen("almanac", ("left",))
    assert [five.log(name).count(f"member.dead peer={peer}") for name in others] == deaths
    five.decided(five.ask("sage", "What is 21 plus 4?"))


def test_a_node_that_is_killed_takes_its_model_along(five: LocalMoot) -> None:
    home = five.home("sorter")
    assert len(processes_of(home)) == 2
    five.kill("sorter")
    wait_until(lambda: processes_of(home) == {}, "the model's process has ended")
    five.wait_seen("sorter", ("dead",))
    five.start("sorter")  # Over the lock, the socket and the write-ahead log that it left behind.
    five.wait_whole()

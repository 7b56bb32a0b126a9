"""The control socket: who may open it, what it refuses, and what happens when either side goes away."""

import json
import os
import socket
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from node.control import CONNECTIONS_MAX
from node.control_client import REQUEST_SIZE_MAX, ControlClient, NodeDown, Refused, StillOpen, socket_path
from node.errors import Exit, HomeMissing


def wait_until(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < until, "waited 10 s in vain"
        time.sleep(0.005)


def talk(home: Path, request: bytes) -> list[dict[str, Any]]:
    """Send raw bytes, return every reply line."""
    with connect(home) as connection:
        connection.sendall(request)
        with connection.makefile("rb") as replies:
            return [json.loads(line) for line in replies]


def connect(home: Path) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(10)
    connection.connect(str(socket_path(home)))
    return connection


def test_only_the_owner_may_open_the_socket(running: Any, home: Path) -> None:
    assert stat.S_IMODE(socket_path(home).stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("request_line", "said"),
    [
        pytest.param(b"garbage\n", "not JSON", id="not JSON"),
        pytest.param(b"\xff\xfe\n", "not JSON", id="not text"),
        pytest.param(b"[1]\n", "unknown call", id="not an object"),
        pytest.param(b'{"call": "reboot"}\n', "unknown call 'reboot'", id="unknown call"),
        pytest.param(b'{"call": {"a": 1}}\n', "unknown call", id="call of a wrong type"),
        pytest.param(
            b'{"call": "status", "x": 1}\n', "takes no arguments; unknown or missing: x", id="unknown argument"
        ),
        pytest.param(b'{"call": "decision"}\n', "unknown or missing: question", id="missing argument"),
        pytest.param(b'{"call": "decision", "question": 7}\n', "wrong type", id="argument of a wrong type"),
        pytest.param(b'{"call": "decisions", "limit": 0}\n', "out of range", id="argument out of range"),
        pytest.param(b"x" * (REQUEST_SIZE_MAX + 1) + b"\n", "more than", id="too long"),
        pytest.param(b"[" * 50_000 + b"\n", "not JSON", id="too deep"),
    ],
)
def test_a_bad_request_is_refused_with_words(running: Any, home: Path, request_line: bytes, said: str) -> None:
    (reply,) = talk(home, request_line)
    assert reply["exit"] == Exit.USAGE
    assert said in reply["error"]
    assert ControlClient(home).status()["name"] == "ada", "and the node still answers"


def test_reports_travel_unchanged(running: Any, home: Path) -> None:
    client = ControlClient(home)
    assert client.status() == running.api.status()
    assert json.loads(json.dumps(running.api.members())) == client.members()
    assert client.decisions(1) == json.loads(json.dumps(running.api.decisions(1)))
    assert client.certificate("3f9a") == running.api.certificate("3f9a")


def test_a_refusal_carries_its_exit_code(running: Any, home: Path) -> None:
    with pytest.raises(Refused, match="no question begins with beef") as refused:
        ControlClient(home).decision("beef")
    assert refused.value.exit_code is Exit.NOT_FOUND


def test_a_fault_inside_the_node_is_said_and_logged(running: Any, home: Path, caplog: pytest.LogCaptureFixture) -> None:
    running.api.refusal = ZeroDivisionError("a bug")
    with pytest.raises(Refused, match="its log says how") as refused:
        list(ControlClient(home).ask("Why?"))
    assert refused.value.exit_code is Exit.FAILED
    assert "control.failed" in caplog.text


def test_a_follower_that_goes_away_ends_only_its_own_following(running: Any, home: Path) -> None:
    running.api.stays_open = True
    staying = ControlClient(home).follow("3f9a")
    assert next(staying)["event"] == "asked"
    leaving = ControlClient(home).follow("3f9a")
    assert next(leaving)["event"] == "asked"
    assert running.api.followers == 2
    leaving.close()
    wait_until(lambda: running.api.followers == 1)
    assert next(staying)["event"] == "proposed"


def test_the_wait_for_a_question_has_an_end(running: Any, home: Path) -> None:
    running.api.stays_open = True
    with pytest.raises(StillOpen):
        list(ControlClient(home).ask("Why?", wait_s=0.2))
    wait_until(lambda: running.api.followers == 0)


def test_stopping_cuts_followers_off_and_removes_the_socket(
    running: Any, home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    running.api.stays_open = True
    following = ControlClient(home).follow("3f9a")
    assert next(following)["event"] == "asked"
    place = socket_path(home)
    running.stop_server()
    with pytest.raises(NodeDown, match="went away"):
        list(following)
    assert not place.exists()
    with pytest.raises(NodeDown, match="moot up"):
        ControlClient(home).status()
    assert caplog.records == [], "stopping is nothing to complain about"


def test_a_socket_left_by_a_killed_node_is_replaced(api: Any, home: Path, start: Any) -> None:
    stale = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    stale.bind(str(socket_path(home)))
    stale.close()
    with pytest.raises(NodeDown, match="no node is running"):
        ControlClient(home).status()
    start(api, home)
    assert ControlClient(home).status()["name"] == "ada"


def test_a_home_with_a_long_path_gets_a_private_socket_elsewhere(api: Any, tmp_path: Path, start: Any) -> None:
    home = tmp_path / ("long" * 40)
    home.mkdir(mode=0o700)
    node = start(api, home)
    place = socket_path(home)
    assert place.parent != home
    assert len(os.fsencode(place)) <= 100
    assert stat.S_IMODE(place.parent.stat().st_mode) == 0o700
    assert ControlClient(home).status()["name"] == "ada"
    node.stop_server()
    assert not place.parent.exists(), "nothing is left behind"


def test_too_many_connections_are_refused_and_the_others_live_on(running: Any, home: Path) -> None:
    silent = [connect(home) for _ in range(CONNECTIONS_MAX)]
    try:
        (reply,) = talk(home, b'{"call": "status"}\n')
        assert "try again" in reply["error"]
    finally:
        for connection in silent:
            connection.close()

    def answers() -> bool:
        try:
            return ControlClient(home).status()["name"] == "ada"
        except Refused:
            return False

    wait_until(answers)


def test_a_home_that_is_not_there_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(HomeMissing, match="moot init"):
        ControlClient(tmp_path / "nowhere").status()

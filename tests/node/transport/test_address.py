"""Only addresses on this machine are listened on or called, however they are written."""

import pytest

from node.errors import Exit
from node.transport.address import AddressInvalid, NotLoopback, check_host, parse_address


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("127.0.0.1:7001", "127.0.0.1:7001"),
        ("127.8.9.1:65535", "127.8.9.1:65535"),
        ("localhost:1", "localhost:1"),
        ("[::1]:7001", "[::1]:7001"),
    ],
)
def test_this_machine(text: str, target: str) -> None:
    assert str(parse_address(text)) == target


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("192.168.1.7:7001", id="another machine"),
        pytest.param("0.0.0.0:7001", id="every interface"),
        pytest.param("[::]:7001", id="every interface, IPv6"),
        pytest.param("[2001:db8::1]:7001", id="another machine, IPv6"),
        pytest.param("example.org:7001", id="a name"),
        pytest.param("localhost.example.org:7001", id="a name that only begins well"),
        pytest.param("127.0.0.1.example.org:7001", id="a name that looks like an address"),
        pytest.param("127.0.0.1@example.org:7001", id="a user part"),
        pytest.param("0177.0.0.1:7001", id="octal"),
    ],
)
def test_elsewhere(text: str) -> None:
    """Nothing is encrypted yet, so nothing may leave the machine."""
    with pytest.raises(NotLoopback, match="need TLS") as caught:
        parse_address(text)
    assert caught.value.exit_code is Exit.NOT_LOOPBACK


@pytest.mark.parametrize(
    "text",
    [
        "",
        "127.0.0.1",
        ":7001",
        "127.0.0.1:",
        "127.0.0.1:0",
        "127.0.0.1:65536",
        "127.0.0.1:-1",
        "127.0.0.1:7001 ",
        "127.0.0.1:٧",
        "::1:7001",
        "unix:/run/peer.sock:1",
        "dns:///example.org:7001",
        "ipv4:127.0.0.1:7001,10.0.0.1:7001",
    ],
)
def test_no_address(text: str) -> None:
    """gRPC takes more forms for an address than these, some of them files."""
    with pytest.raises(AddressInvalid, match="write HOST:PORT"):
        parse_address(text)


def test_check_host_is_the_same_rule() -> None:
    check_host("127.0.0.1")
    with pytest.raises(NotLoopback):
        check_host("")

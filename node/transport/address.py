"""Addresses of peers: host and port. Only this machine's own are allowed as long as connections have no TLS."""

from dataclasses import dataclass
from ipaddress import ip_address

from node.errors import Exit, NodeError


class AddressInvalid(NodeError):
    """Not an address of a peer."""

    exit_code = Exit.SETTINGS


class NotLoopback(NodeError):
    """An address that others can reach, or that is reached over a network."""

    exit_code = Exit.NOT_LOOPBACK


@dataclass(frozen=True, slots=True)
class Address:
    """A host, allowed by `check_host`, and a port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_address(text: str) -> Address:
    """Read "HOST:PORT"; an IPv6 host stands in brackets.

    Nothing else may get through: gRPC would take "unix:PATH", "dns:NAME" and other forms for an address too.

    Raises:
        AddressInvalid: it is neither form, or the port is not 1 to 65535.
        NotLoopback: see `check_host`.
    """
    host, colon, port = text.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        host = ""
    if not colon or not host or not (port.isascii() and port.isdigit() and len(port) <= 5 and 0 < int(port) < 65_536):
        raise AddressInvalid(f"{text[:80]!r} is no address; write HOST:PORT, for example 127.0.0.1:7001")
    check_host(host)
    return Address(host, int(port))


def check_host(host: str) -> None:
    """The one place that says which hosts may be listened on or called: those of this machine alone.

    Raises:
        NotLoopback: others could listen in, since nothing is encrypted.
    """
    try:
        allowed = host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        allowed = False
    if not allowed:
        raise NotLoopback(
            f"{host[:80]!r} is not on this machine, and connections between machines need TLS, which this version does "
            "not have; use 127.0.0.1"
        )

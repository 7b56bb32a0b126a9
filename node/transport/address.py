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


def split_address(text: str, port_min: int = 0) -> tuple[str, int]:
    """Host and port of "host:port"; an IPv6 address stands in brackets.

    Raises:
        ValueError: it is neither; the message says what is expected.
    """
    host, colon, port = text.rpartition(":")
    bare = host.removeprefix("[").removesuffix("]") if host.startswith("[") and host.endswith("]") else host
    if not colon or not bare or (":" in bare and bare == host) or not bare.isprintable() or " " in bare:
        raise ValueError("must be host:port, for example 127.0.0.1:7400 or [::1]:7400")
    if not (port.isascii() and port.isdigit() and len(port) <= 5 and port_min <= int(port) <= 65_535):
        raise ValueError(f"the port must be {port_min} to 65535")
    return bare, int(port)


def parse_address(text: str) -> Address:
    """Read "HOST:PORT"; an IPv6 host stands in brackets.

    Nothing else may get through: gRPC would take "unix:PATH", "dns:NAME" and other forms for an address too.

    Raises:
        AddressInvalid: it is neither form, or the port is not 1 to 65535.
        NotLoopback: see `check_host`.
    """
    try:
        host, port = split_address(text, port_min=1)
    except ValueError:
        raise AddressInvalid(f"{text[:80]!r} is no address; write HOST:PORT, for example 127.0.0.1:7001") from None
    check_host(host)
    return Address(host, port)


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

"""The ports of a federation: nobody else may have one while its node is down, or the node could not come back."""

import errno
import socket
import sys

import pytest

from node.lab.demo_federation import kept_ports

GIVEN = 30_000
"""So many ports the system has for whoever asks for any: were one of ours among them, it would come up."""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere they are free, and no more")
def test_ports_are_kept_for_the_nodes() -> None:
    with kept_ports(200) as ports:
        assert len(set(ports)) == 200
        for _ in range(GIVEN):
            with socket.socket() as other:
                other.bind(("127.0.0.1", 0))
                assert other.getsockname()[1] not in ports
        with socket.socket() as node, pytest.raises(OSError, match="in use") as refused:
            node.bind(("127.0.0.1", ports[0]))
        assert refused.value.errno == errno.EADDRINUSE
        for _ in range(2):
            with socket.socket() as node:
                node.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as gRPC does
                node.bind(("127.0.0.1", ports[0]))
                node.listen()
                socket.create_connection(("127.0.0.1", ports[0])).close()
    with socket.socket() as other:
        other.bind(("127.0.0.1", ports[1]))

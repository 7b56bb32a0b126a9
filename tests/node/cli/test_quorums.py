"""`moot quorums`: descriptions as others publish them and a genesis, each outcome by its code, and limits that hold."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from coordinator.ledger.genesis import Genesis
from coordinator.ledger.roster import Member
from coordinator.voting import QuorumSet
from node.cli.network_file import NESTING_MAX, NetworkFileError, read_network
from node.errors import Exit
from tests.coordinator.voting.topologies import acquainted, seats, two_tier

Described = dict[str, Any]


def described(quorum_set: QuorumSet) -> Described:
    return {
        "threshold": quorum_set.threshold,
        "validators": [validator.decode() for validator in quorum_set.validators],
        "innerQuorumSets": [described(inner) for inner in quorum_set.inner],
    }


def published(network: Mapping[bytes, QuorumSet]) -> list[Described]:
    return [
        {
            "publicKey": node.decode(),
            "name": f"node {node.decode()}",
            "organizationId": f"org {node.decode()[:2]}",
            "isValidator": True,
            "quorumSet": described(quorum_set),
        }
        for node, quorum_set in network.items()
    ]


def written(folder: Path, document: object) -> str:
    place = folder / "network.json"
    place.write_text(json.dumps(document))
    return str(place)


def test_a_network_that_is_safe(moot: Any, tmp_path: Path) -> None:
    ran = moot("quorums", written(tmp_path, published(two_tier(7, 3, 5))))
    assert ran.code == Exit.OK
    assert ran.out.splitlines() == [
        "intersects: every two quorums share a node",
        "network   21 nodes, 21 with a known quorum set",
        "core      21 nodes; whoever else is there only looks on",
        "may crash any 5 nodes; with node 00-0, node 00-1, node 01-0, node 01-1, node 02-0, node 02-1 down, "
        "nothing is decided",
        "may lie   any 2 nodes; with node 00-0, node 01-0, node 02-0 lying together, others can decide differently",
        "critical  no node",
        "          no organization",
    ]


def test_a_split_shows_both_sides(moot: Any, tmp_path: Path) -> None:
    ran = moot("quorums", written(tmp_path, {"nodes": published(two_tier(4, 1, 2))}))
    assert ran.code == Exit.QUORUMS_SPLIT
    assert ran.out.startswith("split: ")
    assert "one       node 00-0, node 01-0\nanother   node 02-0, node 03-0\n" in ran.out


def test_json_holds_all_that_was_found(moot: Any, tmp_path: Path) -> None:
    ran = moot("quorums", written(tmp_path, published(two_tier(5, 3, 3))), "--json")
    report = json.loads(ran.out)
    assert (ran.code, report["verdict"]) == (Exit.OK, "intersects")
    assert report["intersection"]["core"] == sorted(report["intersection"]["core"])
    assert report["lies"] == {"count": 0, "breaking": ["00-0"], "exact": True}
    assert report["organizations"] == {"groups": [f"org 0{n}" for n in range(5)], "unchecked": []}
    assert len(report["nodes"]["groups"]) == 15
    split = moot("quorums", written(tmp_path, published(two_tier(4, 1, 2))), "--json")
    assert (split.code, json.loads(split.out)["verdict"]) == (Exit.QUORUMS_SPLIT, "split")


def test_no_quorum_is_not_called_safe(moot: Any, tmp_path: Path) -> None:
    nodes = published(two_tier(4, 1, 3))
    for node in nodes[:2]:
        node["quorumSet"] = None
    ran = moot("quorums", written(tmp_path, nodes))
    assert ran.code == Exit.QUORUMS_NONE
    assert "4 nodes, 2 with a known quorum set" in ran.out


def test_a_genesis_is_a_network_in_which_all_trust_alike(moot: Any, tmp_path: Path) -> None:
    members = [Member(bytes([n]) * 32, name, "home", 1, "") for n, name in enumerate("abcd", start=1)]
    place = tmp_path / "genesis.json"
    place.write_bytes(Genesis.found("kitchen", 0, members).to_json())
    ran = moot("quorums", str(place))
    assert ran.code == Exit.OK
    assert "may crash any 1 node; with a, b down" in ran.out
    assert "may lie   any 1 node; with a, b lying" in ran.out
    assert "          home alone can set others against each other" not in ran.out, "nobody else is left to be divided"


def test_what_takes_too_long_is_ended_and_says_so(moot: Any, tmp_path: Path) -> None:
    """A check that never ends holds up a script for ever."""
    place = written(tmp_path, published(acquainted(120, 3, seed=1)))
    ran = moot("quorums", place, "--seconds", "1")
    assert ran.code == Exit.QUORUMS_UNKNOWN
    assert ran.out.startswith("unknown: ")
    assert json.loads(moot("quorums", place, "--seconds", "0.1", "--json").out) == {"verdict": "unknown"}


def test_what_takes_too_much_memory_is_ended_and_says_so(moot: Any, tmp_path: Path) -> None:
    """A check that takes all memory takes the machine with it."""
    crowd = [{"id": f"{n:06}", "name": "x" * 200, "quorumSet": None} for n in range(40_000)]
    place = written(tmp_path, crowd)
    assert Path(place).stat().st_size > 9_000_000
    assert moot("quorums", place, "--memory", "64").code == Exit.QUORUMS_UNKNOWN
    assert moot("quorums", written(tmp_path, published(two_tier(4, 3))), "--memory", "64").code == Exit.OK


def test_the_answer_stays_where_only_the_rest_took_too_long() -> None:
    """What was found is thrown away with what was not."""
    from node.cli.quorums import _lines, _verdict

    core = [node.decode() for node in seats(0, 2)]
    parts = {"intersection": {"verdict": "intersects", "core": core, "has_quorum": True, "quorums": None}}
    assert _verdict(parts) is Exit.OK
    told = dict(_lines(parts, read_network(json.dumps(published(two_tier(1, 2))).encode())))
    assert told["may lie"] == told["may crash"] == "not found out in time"


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        pytest.param("a text", "expected a list of nodes", id="no list"),
        pytest.param({"format": "moot-genesis-v1"}, "missing", id="half a genesis"),
        pytest.param([7], "nodes[0]: an object", id="no object"),
        pytest.param([{"name": "a"}], 'nodes[0]: has no "publicKey"', id="no id"),
        pytest.param([{"id": "a"}, {"publicKey": "a"}], "two nodes have the same id", id="one id twice"),
        pytest.param([{"id": "a\n"}], "nodes[0].id: printable", id="an id that would spoil the report"),
        pytest.param([{"id": "a", "quorumSet": 3}], "nodes[0].quorumSet: an object", id="no set"),
        pytest.param([{"id": "a", "quorumSet": {}}], "nodes[0].quorumSet.threshold = None", id="no threshold"),
        pytest.param([{"id": "a", "quorumSet": {"threshold": 0}}], "threshold = 0", id="threshold 0"),
        pytest.param([{"id": "a", "quorumSet": {"threshold": True}}], "threshold = True", id="no number"),
        pytest.param(
            [{"id": "a", "quorumSet": {"threshold": 1, "validators": "a"}}], "validators: a list", id="no validators"
        ),
        pytest.param([{"id": "a", "quorumSet": {"threshold": 1, "validators": [{}]}}], "ids were", id="not ids"),
        pytest.param(
            [{"id": "a", "quorumSet": {"threshold": 1, "innerQuorumSets": [[]]}}],
            "nodes[0].quorumSet.innerQuorumSets[0]: an object",
            id="no inner set",
        ),
    ],
)
def test_a_file_that_is_no_network(moot: Any, tmp_path: Path, document: object, reason: str) -> None:
    ran = moot("quorums", written(tmp_path, document))
    assert (ran.code, ran.out) == (Exit.NOT_A_NETWORK, "")
    assert reason in ran.err


def test_files_that_cannot_be_read(moot: Any, tmp_path: Path) -> None:
    assert moot("quorums", str(tmp_path / "nothing.json")).code == Exit.USAGE
    (tmp_path / "no.json").write_text("{")
    assert moot("quorums", str(tmp_path / "no.json")).code == Exit.NOT_A_NETWORK


def test_sets_nest_to_a_bound() -> None:
    """A file of brackets overflows the stack."""
    inner: Described = {"threshold": 1, "validators": ["a"]}
    for _ in range(NESTING_MAX):
        inner = {"threshold": 1, "innerQuorumSets": [inner]}
    assert read_network(json.dumps([{"id": "a", "quorumSet": inner}]).encode()).sets
    deeper = {"threshold": 1, "innerQuorumSets": [inner]}
    with pytest.raises(NetworkFileError, match="deep"):
        read_network(json.dumps([{"id": "a", "quorumSet": deeper}]).encode())
    with pytest.raises(NetworkFileError, match="JSON"):
        read_network(b"[" * 100_000)


def test_one_name_for_two_nodes_is_not_used() -> None:
    network = read_network(b'[{"id": "a", "name": "x"}, {"id": "b", "name": "x"}, {"id": "c", "name": "y"}]')
    assert network.names == {"a": "a", "b": "b", "c": "y"}

"""What a node's people revoke: the list that a whole node publishes, heeds itself, keeps, and repeats in the next."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from coordinator.signed import Kind
from node.desk import Desk
from node.membership.events import Received
from node.membership.messages import Gossip
from node.membership.revocations import RevocationList
from node.model.engine import LoadSettings
from node.model.local.process import ModelProcess
from node.model.local.settings import ProcessSettings
from node.parts import make_membership
from node.revoke_desk import NotRevocable
from node.shell import ModelSettings, now_ms, wall_ms
from tests.node.shells import shell_on
from tests.node.test_revoked import ALICE, BOB, bobs_record, ground_of
from tests.node.transport import peers


@pytest.fixture
async def alice(tmp_path: Path) -> AsyncIterator[tuple[Any, Desk]]:
    """Her ground and her desk; she has met Bob."""
    ground = ground_of(tmp_path)
    desk = Desk(ground.genesis, ground.signer, "alice", "127.0.0.1:7400", dict)
    async with peers.sending(peers.Failures(), node=ALICE) as outbox:
        engine = ModelProcess(tmp_path / "none.gguf", LoadSettings(), ProcessSettings(), lambda state: None)
        shell = shell_on(ground, outbox, engine, ModelSettings(700, 64), desk.watch)
        desk.open(shell)
        shell._perform(shell.membership.step(Received(BOB.node, Gossip((bobs_record(ground),))), now_ms()))
        yield ground, desk
    ground.store.close()


def statuses(desk: Desk) -> dict[str, str]:
    return {one["name"]: one["status"] for one in desk.members()}


def kept(ground: Any) -> list[RevocationList]:
    return [RevocationList.decode(one.body) for one in ground.store.remembered_members() if one.kind is Kind.REVOCATION]


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("bob", id="name"),
        pytest.param(BOB.node.hex()[:8], id="beginning of the key"),  # The key differs in each run.
        pytest.param(BOB.node.hex().upper(), id="key in capitals"),
    ],
)
async def test_another_is_revoked_and_stays_so(alice: tuple[Any, Desk], name: str) -> None:
    ground, desk = alice
    assert statuses(desk) == {"alice": "alive", "bob": "alive"}
    assert all(one["compatible"] for one in desk.members())
    before_ms = wall_ms()
    report = desk.revoke([name], "stolen")
    assert report["revoked"] == [{"node": BOB.node.hex(), "name": "bob", "reason": "stolen"}]
    assert (report["own_key"], report["dropped"]) == (False, [])
    assert before_ms <= report["sequence"] <= wall_ms()
    assert statuses(desk) == {"alice": "alive", "bob": "revoked"}
    assert kept(ground) == [RevocationList(report["sequence"], ((BOB.node, "stolen"),))]
    restarted = make_membership(ground, desk.shell.moot.ledger, "127.0.0.1:7400")
    assert restarted.own_revocations() == kept(ground)[0]
    assert desk.revoke(["bob"], "sold")["sequence"] == report["sequence"] + 1


async def test_the_own_key_is_revoked_alone(alice: tuple[Any, Desk]) -> None:
    """Who does not heed this node refuses its list where it names others beside."""
    ground, desk = alice
    first = desk.revoke(["bob"], "stolen")
    report = desk.revoke([], "lost")
    assert report["sequence"] == first["sequence"] + 1
    assert report["own_key"]
    assert report["dropped"] == first["revoked"]
    assert kept(ground) == [RevocationList(report["sequence"], ((ALICE.node, "lost"),))]
    assert statuses(desk)["alice"] == "revoked"
    with pytest.raises(NotRevocable, match="own key is revoked"):
        desk.revoke(["bob"], "stolen")


async def test_the_others_are_told_at_once(alice: tuple[Any, Desk], monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a node's own key too: what it says of that is the last that is heard of it."""
    _, desk = alice
    sent: list[tuple[bytes | None, Any]] = []
    monkeypatch.setattr(desk.shell._outbox, "send", lambda to, address, message: sent.append((to, message)))
    desk.revoke([], "lost")
    told = [item for to, message in sent if to == BOB.node and isinstance(message, Gossip) for item in message.items]
    assert [RevocationList.decode(one.body).reasons for one in told if one.kind is Kind.REVOCATION] == [
        ((ALICE.node, "lost"),)
    ]


@pytest.mark.parametrize(
    ("names", "reason", "why"),
    [
        pytest.param(["zoe"], "stolen", "no member's name", id="unknown"),
        pytest.param([BOB.node.hex()[:7]], "stolen", "8 or more first digits", id="too few digits"),
        pytest.param(["bob", "alice"], "stolen", "that is this node", id="itself by name"),
        pytest.param(["bob"], "é" * 33, "more than 64 bytes", id="long reason"),
    ],
)
async def test_what_is_refused_changes_nothing(
    alice: tuple[Any, Desk], names: list[str], reason: str, why: str
) -> None:
    _, desk = alice
    with pytest.raises(NotRevocable, match=why):
        desk.revoke(names, reason)
    assert desk.shell.membership.own_revocations() is None
    assert statuses(desk)["bob"] == "alive"

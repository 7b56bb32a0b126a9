"""A revoked key at a whole node: its next envelope is refused, and its connections are closed, without a restart."""

from pathlib import Path

from coordinator.ledger.genesis import Genesis
from coordinator.ledger.roster import Member
from coordinator.messages import WantEntries
from coordinator.signed import Kind, Signed
from node.identity import Keypair
from node.membership.events import MemberForgotten, Received, Revoke
from node.membership.messages import Gossip
from node.membership.own import first_record
from node.membership.revocations import RevocationList
from node.model.engine import LoadSettings
from node.model.local.process import ModelProcess
from node.model.local.settings import ProcessSettings
from node.parts import Ground, make_membership, make_moot, make_server
from node.settings import MembershipSection, Settings
from node.shell import ModelSettings, Shell, now_ms, wall_ms
from node.signing import MootSigner, MootVerifier
from node.store import Store
from node.transport.gate import Admitted
from node.transport.rejections import Reason, Rejected
from node.transport.wire import pack
from tests.node.transport import peers

ALICE, BOB, OPERATOR = Keypair.generate(), Keypair.generate(), Keypair.generate()


def ground_of(path: Path) -> Ground:
    """Alice's; she heeds the operator."""
    seats = [Member(pair.node, name, name, 1, "") for pair, name in ((ALICE, "alice"), (BOB, "bob"))]
    genesis = Genesis.found("two", wall_ms(), seats)
    moot = genesis.moot_id
    settings = Settings(version=1, membership=MembershipSection(revokers=(OPERATOR.node.hex(),)))
    store = Store.open(path / "store.db", moot, ALICE.node)
    return Ground(settings, genesis, MootSigner(ALICE, moot), MootVerifier(moot), store, wall_ms())


def bobs_record(ground: Ground) -> Signed:
    signer = MootSigner(BOB, ground.genesis.moot_id)
    settings = ground.settings.membership.settings()
    return first_record(signer, settings, epoch=wall_ms(), address="127.0.0.1:1", meta=b"", wall_ms=wall_ms())


async def test_a_revoked_member_is_shut_out_at_once(tmp_path: Path) -> None:
    """Otherwise a thief goes on talking over the connections that it has."""
    ground = ground_of(tmp_path)
    shells: list[Shell] = []
    moot = make_moot(ground)
    gate = make_server(ground, moot.ledger, shells)._gate
    membership = make_membership(ground, moot.ledger, "127.0.0.1:7400")
    async with peers.sending(peers.Failures(), node=ALICE) as outbox:
        engine = ModelProcess(tmp_path / "none.gguf", LoadSettings(), ProcessSettings(), lambda state: None)
        shells.append(
            Shell(
                moot=moot,
                membership=membership,
                store=ground.store,
                outbox=outbox,
                engine=engine,
                model=ModelSettings(700, 64),
                watch=lambda event: None,
            )
        )

        def envelope(sequence: int) -> Admitted | Rejected:
            name = ground.genesis.moot_id
            data = peers.sealed(pack([WantEntries(0)]), by=BOB, moot=name, to=ALICE.node, sequence=sequence)
            return gate.admit(data, now_ms(), wall_ms())

        assert isinstance(envelope(1), Admitted)
        shell = shells[0]
        shell._perform(membership.step(Received(BOB.node, Gossip((bobs_record(ground),))), now_ms()))
        outbox.send(BOB.node, "127.0.0.1:1", WantEntries(0))
        assert outbox.peers_open == 1
        listed = RevocationList(1, ((BOB.node, "stolen"),)).encode()
        operator = MootSigner(OPERATOR, ground.genesis.moot_id)
        effects = membership.step(Revoke(operator.sign(Kind.REVOCATION, listed)), now_ms())
        assert MemberForgotten(BOB.node) in effects
        shell._perform(effects)
        assert outbox.peers_open == 0
        refused = envelope(2)
        assert isinstance(refused, Rejected)
        assert refused.reason is Reason.NOT_ADMITTED
        assert ground.store.remembered_members()[0].kind is Kind.REVOCATION, "it outlasts a restart"
        assert make_membership(ground, moot.ledger, "127.0.0.1:7400").is_revoked(BOB.node)
    ground.store.close()


async def test_who_is_dropped_is_cut_off() -> None:
    """What waits for it is never sent; a later message makes a new connection."""
    received = peers.Received()
    async with peers.serving(received) as (_, port), peers.sending(peers.Failures()) as outbox:
        bob, address = peers.BOB.node, f"127.0.0.1:{port}"
        outbox.send(bob, address, WantEntries(1))
        await peers.until(lambda: len(received.messages) == 1)
        outbox.send(bob, address, WantEntries(2))
        outbox.drop(bob)
        outbox.drop(peers.MALLORY.node)  # to whom nothing was ever sent
        assert outbox.peers_open == 0
        outbox.send(bob, address, WantEntries(3))
        await peers.until(lambda: len(received.messages) == 2)
        assert received.messages == [WantEntries(1), WantEntries(3)]

"""Makes the parts of a node out of what its home holds, each part by its own function."""

import logging
import random
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coordinator.agenda_driver import VotingSettings
from coordinator.ledger.genesis import Genesis
from coordinator.ledger.ledger import Ledger
from coordinator.moot import Moot
from coordinator.restored import Restored
from node import identity
from node.errors import Exit
from node.founding import ModelUnusable, check_model, read_genesis
from node.home import Home
from node.membership.core import Membership
from node.membership.events import Seed
from node.model.engine import Engine, LoadSettings
from node.model.errors import ModelError, ModelFileMissing
from node.model.local.settings import ModelState, ProcessSettings
from node.model.opening import open_engine
from node.model.remote.address import is_remote
from node.settings import ModelSection, Settings, load
from node.shell import Shell, now_ms, wall_ms
from node.signing import MootSigner, MootVerifier
from node.store import Store, Stored
from node.transport.address import Address, check_host, split_address
from node.transport.gate import Gate
from node.transport.rate import Rate
from node.transport.server import PeerServer

log = logging.getLogger("moot")


@dataclass(frozen=True, slots=True)
class Ground:
    """What all parts of a node stand on."""

    settings: Settings
    genesis: Genesis
    signer: MootSigner
    verifier: MootVerifier
    store: Store
    epoch: int
    """Of this start: above those of all earlier ones."""


def open_ground(home: Home, stack: AsyncExitStack) -> Ground:
    """Read, check and lock what is in the home."""
    settings = load(home.settings)
    keypair = identity.load(home.identity)
    genesis = read_genesis(home.genesis)
    check_host(split_address(settings.node.listen)[0])
    stack.enter_context(home.locked())
    store = Store.open(home.store, genesis.moot_id, keypair.node)
    stack.callback(store.close)
    signer, verifier = MootSigner(keypair, genesis.moot_id), MootVerifier(genesis.moot_id)
    return Ground(settings, genesis, signer, verifier, store, store.next_epoch(wall_ms()))


def make_server(ground: Ground, ledger: Ledger, shells: list[Shell]) -> PeerServer:
    """Whoever sits in the roster is let in, and who sat in it: one that was away has to learn that it was removed."""
    limits = ground.settings.limits

    def is_admitted(node: bytes) -> bool:
        revoked = bool(shells) and shells[0].membership.is_revoked(node)
        return ledger.has_known(node) and not revoked

    gate = Gate(
        moot=ground.genesis.moot_id,
        node=ground.signer.node,
        verifier=ground.verifier,
        is_admitted=is_admitted,
        rate=Rate(limits.messages_per_s, limits.bytes_per_s),
    )
    return PeerServer(
        gate,
        on_batch=lambda sender, messages, _: shells[0].deliver(sender, messages) if shells else None,
        now_ms=now_ms,
        wall_ms=wall_ms,
    )


async def listen(server: PeerServer, settings: Settings) -> str:
    """Bind, and give the address that peers are told."""
    host, port = split_address(settings.node.listen)
    bound = await server.start(host, port)
    return settings.node.advertise or str(Address(host, bound))


def make_moot(ground: Ground) -> Moot:
    return Moot(
        signer=ground.signer,
        verifier=ground.verifier,
        genesis=ground.genesis,
        settings=VotingSettings(**ground.settings.voting.model_dump()),
        rng=random.Random(),  # noqa: S311 - chooses partners for exchange; nothing secret
        wall_offset_ms=wall_ms() - now_ms(),
        restored=restored(ground.store.load()),
        now_ms=now_ms(),
    )


def make_membership(ground: Ground, ledger: Ledger, address: str) -> Membership:
    """Its own lists of revoked keys a node heeds, whatever its settings: its own people made them."""
    revokers = ground.settings.membership.revokers
    return Membership(
        signer=ground.signer,
        verifier=ground.verifier,
        settings=ground.settings.membership.settings(),
        rng=random.Random(),  # noqa: S311 - shuffles the probe list
        epoch=ground.epoch,
        address=address,
        meta=b"",
        admit=ledger.has_known,
        seeds=_seeds(ledger, ground.signer.node, ground.settings),
        remembered=ground.store.remembered_members(),
        wall_offset_ms=wall_ms() - now_ms(),
        now_ms=now_ms(),
        operator_of=lambda node: _organization(ledger, node),
        is_heeded=frozenset({ground.signer.node, *map(bytes.fromhex, revokers)}).__contains__,
    )


def restored(stored: Stored) -> Restored:
    """What the core continues from, out of what the store held."""
    own = {row.slot: row.statements for row in stored.voting}
    newest = next((row for row in stored.voting if row.slot == stored.height), None)
    return Restored(
        height=stored.height,
        head=stored.head or b"",
        decided=stored.decided,
        unproven=tuple((agenda, own.get(slot, ())) for slot, agenda in stored.unproven),
        records=tuple(record for _, record in stored.records),
        voting=(newest.slot, newest.state, newest.statements) if newest else None,
        agendas=tuple(stored.agendas.values()),
        changes=stored.changes,
        accused=stored.accused,
    )


async def open_model(section: ModelSection, stack: AsyncExitStack) -> tuple[Engine, Callable[[], dict[str, Any]]]:
    report: dict[str, Any] = {"state": "starting", "restarts": 0}

    def note(state: ModelState) -> None:
        report.update(state="up" if state.up else "down", restarts=max(0, state.starts - 1))
        log.info("model.%s reason=%r", report["state"], state.reason)

    context = {} if section.context_length is None else {"context_length": section.context_length}
    loading = LoadSettings(
        threads=section.threads,
        parallel=section.parallel,
        cache_mib=section.cache_mib,
        gpu_layers=section.gpu_layers,
        **context,
    )
    running = ProcessSettings(
        queue_max=section.queue_max, request_timeout_ms=section.timeout_ms, hang_timeout_ms=section.timeout_ms
    )
    try:
        engine = await open_engine(check_model(section.file), loading, running, note)
    except ModelError as error:
        raise ModelUnusable(str(error), _exit_of(error, section.file)) from error
    stack.push_async_callback(engine.close)
    for adapter in section.adapters:
        try:
            await engine.add_adapter(Path(adapter))
        except ModelError as error:
            raise ModelUnusable(str(error), Exit.MODEL_INVALID) from error
    info = await engine.describe()
    report.update(
        state="up",
        name=info.name,
        digest=info.weights.hex(),
        parameters=info.parameters,
        context_length=info.context_length,
        bytes=info.size_bytes,
    )
    return engine, lambda: dict(report)


def _exit_of(error: ModelError, file: str) -> Exit:
    if is_remote(file):
        return Exit.MODEL_SERVER
    return Exit.MODEL_MISSING if isinstance(error, ModelFileMissing) else Exit.MODEL_INVALID


def _organization(ledger: Ledger, node: bytes) -> str:
    seat = ledger.seats.get(node)
    return "" if seat is None else seat.organization


def _seeds(ledger: Ledger, node: bytes, settings: Settings) -> list[Seed]:
    """The roster's first addresses, of which the owners are known, and those of the settings, of which they are not."""
    members = ledger.roster.members
    known = [Seed(member.node, member.address) for member in members if member.node != node and member.address]
    return known + [Seed(None, address) for address in settings.membership.seeds]

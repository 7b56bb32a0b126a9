# ruff: noqa: ASYNC110 - waits for real processes
"""A question that ends while a node's model works on it: the model is stopped. Real processes, real forward passes."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from coordinator.ledger.agenda import Agenda, Item
from coordinator.ledger.genesis import Genesis
from coordinator.ledger.roster import Member
from coordinator.messages import Entries, LedgerEntry, Records
from coordinator.records import AnswerKind, Cost, Preference, Question
from coordinator.signed import Kind, Signed
from coordinator.voting import Ballot, Externalize, encode
from node.identity import Keypair
from node.model.engine import LoadSettings
from node.model.local.process import ModelProcess
from node.model.pipe.counts import Counts
from node.parts import Ground
from node.settings import Settings
from node.shell import ModelSettings, Shell, wall_ms
from node.signing import MootSigner, MootVerifier
from node.store import Store
from tests.node.model.gguf_files import Shape, write_model
from tests.node.model.local.asking import FAST, ask
from tests.node.shells import shell_on
from tests.node.transport import peers

ALICE, *OTHERS = (Keypair.generate() for _ in range(4))
BOB = OTHERS[0]
ENDLESS = 4_096
"""Tokens of each of five samples: seconds of work."""


@pytest.fixture(scope="module")
def endless_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "endless.gguf"
    return write_model(path, vocabulary="letters", shape=Shape(context_length=2 * ENDLESS))


def ground_of(path: Path) -> Ground:
    names = ("alice", "bob", "carol", "dave")
    seats = [Member(pair.node, name, name, 1, "") for pair, name in zip((ALICE, *OTHERS), names, strict=True)]
    genesis = Genesis.found("four", wall_ms(), seats)
    moot = genesis.moot_id
    store = Store.open(path / "store.db", moot, ALICE.node)
    return Ground(Settings(version=1), genesis, MootSigner(ALICE, moot), MootVerifier(moot), store, wall_ms())


def asked_by_bob(genesis: Genesis, deadline_ms: int) -> Signed:
    question = Question("What is 2 plus 2?", AnswerKind.NUMBER, (), deadline_ms, "", wall_ms(), bytes(16))
    return MootSigner(BOB, genesis.moot_id).sign(Kind.QUESTION, question.encode())


def decided_by_the_others(genesis: Genesis, question: Signed) -> Entries:
    """Without Alice: that the question stays without an answer, which all three of them voted for."""
    signers = [MootSigner(pair, genesis.moot_id) for pair in sorted(OTHERS, key=lambda pair: pair.node)]
    abstains = Preference(question.digest(), (), Cost()).encode()
    preferences = tuple(signer.sign(Kind.PREFERENCE, abstains) for signer in signers)
    agenda = Agenda.of(0, genesis.moot_id, 0, [Item(question, (), preferences)])
    ballot, quorum_set = Ballot(1, agenda.digest), genesis.roster.quorum_set_digest
    statements = tuple(
        signer.sign(Kind.STATEMENT, encode(Externalize(signer.node, 0, quorum_set, ballot, 1))) for signer in signers
    )
    return Entries(0, (LedgerEntry(agenda.encode(), statements),))


@asynccontextmanager
async def running(ground: Ground, engine: ModelProcess) -> AsyncIterator[Shell]:
    async with peers.sending(peers.Failures(), node=ALICE) as outbox:
        shell = shell_on(ground, outbox, engine, ModelSettings(0, ENDLESS, stop=""))
        serving = asyncio.create_task(shell.run())
        yield shell
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
        await shell.stop_generating()
    ground.store.close()


async def when(engine: ModelProcess, true: Callable[[Counts], bool]) -> Counts:
    async with asyncio.timeout(20):
        while not true(counts := await engine.counts()):
            await asyncio.sleep(0.01)
    return counts


@pytest.mark.parametrize("end", ["decided", "too late"])
async def test_the_model_stops_when_the_question_ends(tmp_path: Path, endless_file: Path, end: str) -> None:
    """What it has spent until then is in the account, and its sequences are free for others."""
    engine = ModelProcess(endless_file, LoadSettings(context_length=2 * ENDLESS), FAST)
    await engine.start()
    ground = ground_of(tmp_path)
    async with running(ground, engine) as shell:
        question = asked_by_bob(ground.genesis, 60_000 if end == "decided" else 2_000)
        shell.deliver(BOB.node, [Records((question,))])
        await when(engine, lambda counts: counts.generated_tokens > 0)
        if end == "decided":
            shell.deliver(BOB.node, [decided_by_the_others(ground.genesis, question)])
        else:
            await shell.until(lambda: not shell.moot.questions.is_unanswered(question.digest()))
        counts = await when(engine, lambda counts: counts.running == counts.waiting == 0)
        assert (question.digest() in shell.moot.ledger.decided) is (end == "decided")
    assert (counts.requests, counts.failed) == (0, 1), "it was given up"
    assert 0 < counts.generated_tokens < ground.genesis.charter.samples * ENDLESS
    assert counts.decoded_tokens == counts.native_tokens
    assert (await engine.generate(ask("after", tokens_max=4))).lengths == (4,)
    await engine.close()

"""Questions of which one member alone decides the answer: one model works, the others prove that it was asked."""

import pytest

from coordinator.effects import Ended, Generate
from coordinator.events import Asked, Received
from coordinator.ledger.agenda import Agenda
from coordinator.ledger.certificate import certificate_of, verify
from coordinator.ledger.resolution import Stand
from coordinator.messages import Records
from coordinator.records import Preference
from coordinator.signed import Kind, NodeId
from coordinator.tally import only
from tests.coordinator.keys import FakeVerifier
from tests.coordinator.ledger.build import Build
from tests.coordinator.liar import Liar
from tests.coordinator.network import Network, found
from tests.coordinator.solo import Solo, sent_records

SEEDS = range(8)


class Models:
    """The named member says 7, all others would say 8; it notes whose model worked."""

    def __init__(self) -> None:
        self.right: NodeId = b""
        self.worked: list[NodeId] = []

    def __call__(self, node: NodeId, request: Generate) -> tuple[str, ...]:
        self.worked.append(node)
        return ("7" if node == self.right else "8",) * request.samples


def moot(seed: int, members: int = 5) -> tuple[Network, Models]:
    models = Models()
    network = Network(found(members), models, seed, delay_ms=(1, 60))
    models.right = network.ids[2]
    return network, models


@pytest.mark.parametrize("seed", SEEDS)
def test_one_model_works_and_the_decision_is_proven(seed: int) -> None:
    network, models = moot(seed)
    network.start()
    network.run(for_ms=500)
    question = network.ask(network.ids[0], "what is 3 + 4?", tally=only(models.right))
    assert network.run(lambda: network.decided(question), 4_000), "before the deadline: nobody is waited for"
    assert models.worked == [models.right]
    resolution = network.resolution(network.ids[0], question)
    assert resolution.outcome is not None and resolution.outcome.scores == (("7", 5),)
    assert {part.member: part.stand for part in resolution.parts} == {
        node: Stand.ANSWERED if node == models.right else Stand.ABSTAINED for node in network.ids
    }
    slot = network.ended[network.ids[0]][question]
    assert slot is not None
    entry = network.entry(network.ids[0], slot)
    data = certificate_of(Agenda.decode(entry.agenda), question, entry.statements, network.genesis)
    verified = verify(data, network.genesis, FakeVerifier(network.genesis.moot_id).verify)
    assert verified.resolution == resolution, "whoever holds no more than the genesis computes the same"
    network.check_agreement()
    network.check_words()


@pytest.mark.parametrize("seed", SEEDS)
def test_who_gives_points_all_the_same_is_not_counted(seed: int) -> None:
    network, models = moot(seed)
    liar = Liar(network, network.ids[-1])
    network.start()
    network.run(for_ms=500)

    def give_points(liar: Liar, event: Received) -> None:
        if isinstance(event.message, Records) and any(one.kind is Kind.QUESTION for one in event.message.records):
            liar.send(Records((liar.prefer(question, (("9", 5),)),)))
            liar.act = None

    liar.act = give_points
    question = network.ask(network.ids[0], "what is 3 + 4?", tally=only(models.right))
    assert network.run(lambda: network.decided(question, liar.honest), 12_000)
    resolution = network.resolution(network.ids[0], question)
    assert resolution.outcome is not None and resolution.outcome.scores == (("7", 5),)
    assert resolution.answered == 1
    network.check_agreement(liar.node)


@pytest.mark.parametrize("seed", SEEDS)
def test_if_it_is_away_the_question_ends_without_an_answer(seed: int) -> None:
    network, models = moot(seed)
    network.start(*[node for node in network.ids if node != models.right])
    network.run(for_ms=500)
    question = network.ask(network.ids[0], "what is 3 + 4?", tally=only(models.right))
    assert network.run(lambda: network.decided(question), 20_000)
    resolution = network.resolution(network.ids[0], question)
    assert resolution.reason == "no answer: only n2 was asked, and it gave none by the deadline"
    assert models.worked == []


def test_if_its_model_fails_nobody_waits_for_the_deadline() -> None:
    network, models = moot(1)
    network.model = lambda node, request: None
    network.start()
    network.run(for_ms=500)
    question = network.ask(network.ids[0], "what is 3 + 4?", tally=only(models.right))
    assert network.run(lambda: network.decided(question), 4_000)
    assert network.resolution(network.ids[0], question).outcome is None


def test_a_member_that_is_not_asked_says_so_at_once_and_only_once() -> None:
    build = Build(4)
    solo = Solo(build)
    record = solo.asked_by(1, tally=only(build.ids[2]))
    effects = solo.hear_records(solo.others[0], record)
    assert not [effect for effect in effects if isinstance(effect, Generate)]
    told = [one for one in sent_records(effects, solo.others[2]) if one.kind is Kind.PREFERENCE]
    assert [Preference.decode(one.body).points for one in told] == [()]
    assert not sent_records(solo.answer(record.digest(), "7")), "an answer would contradict the abstention"


def test_a_moot_of_one_may_ask_itself_alone() -> None:
    build = Build(genesis=found(1))
    solo = Solo(build)
    effects = solo.step(Asked(solo.question(tally=only(build.ids[0]))))
    [question] = [effect.question for effect in effects if isinstance(effect, Generate)]
    effects = solo.answer(question, "7")
    assert [effect for effect in effects if isinstance(effect, Ended)] == [Ended(question, 0)]

"""What a roster member that lies can do to the others: waste some of their time, and nothing else."""

from collections.abc import Callable

import pytest

from coordinator import questions
from coordinator.agenda_driver import AGENDAS_KEPT
from coordinator.effects import Generate
from coordinator.events import Received
from coordinator.ledger.agenda import Agenda, Item
from coordinator.messages import Agendas, Entries, LedgerEntry, Records, Status
from coordinator.signed import Digest, Kind, NodeId, Signed
from coordinator.voting import Ballot, Confirm, Externalize, Nominate, Prepare, Statement, decode, encode
from tests.coordinator.liar import Liar
from tests.coordinator.network import Model, Network, found, seven

SOON_MS = 12_000
SEEDS = range(12)


def world(
    seed: int, count: int = 5, model: Model = seven, *, turnout: int | None = None, first: bool = False
) -> tuple[Network, Liar]:
    """The last member lies, or that with the smallest id; the others have met."""
    network = Network(found(count, turnout=turnout), model, seed, delay_ms=(1, 60))
    liar = Liar(network, min(network.ids) if first else network.ids[-1])
    network.start()
    network.run(for_ms=500)
    return network, liar


def check(network: Network, liar: Liar, *asked: Digest, within_ms: int = SOON_MS) -> None:
    """Honest members decide honest questions in time and alike, and hold no more than they may."""
    assert network.run(lambda: all(network.decided(one, liar.honest) for one in asked), within_ms)
    network.check_agreement(liar.node)
    network.check_words(liar.node)
    check_bounds(network)


def check_bounds(network: Network) -> None:
    count = len(network.ids)
    for core in network.nodes.values():
        assembly, driver, catch_up = core.assembly, core.assembly._driver, core.catch_up
        assert len(assembly._waiting) <= 2 * count and len(assembly._early) <= 2 * count
        assert len(assembly._latest) <= 2 * count and len(assembly._helped_ms) <= count
        assert len(assembly._requests.wanted) <= count * 131, "as many as the newest statements name"
        assert len(driver.agendas) + len(driver._refused) <= 2 * AGENDAS_KEPT + 2 * count * 131
        assert catch_up.heights.keys() <= set(network.ids)
        assert all(len(lacking) <= 2_048 for lacking in catch_up._lacking.values())


@pytest.mark.parametrize("seed", SEEDS)
def test_nobody_can_choose_the_answer_by_choosing_whom_to_count(seed: int) -> None:
    """A leader with just enough preferences could turn the outcome: here 9 would win among three."""

    def divided(node: NodeId, request: Generate) -> tuple[str, ...]:
        return ("9" if node == network.ids[3] else "7",) * request.samples

    network, liar = world(seed, model=divided)
    network.slow_ms = {network.ids[1]: 400, network.ids[2]: 400}

    def cherry_pick(liar: Liar, event: Received) -> None:
        chosen = (network.ids[0], network.ids[3], liar.node)
        item = liar.item(question, chosen)
        if item is not None and len(item.preferences) == 2:
            picked = Item(item.question, item.proposals, (*item.preferences, liar.prefer(question, (("9", 5),))))
            liar.nominate([liar.agenda(picked)])
            liar.act = None

    liar.act = cherry_pick
    question = network.ask(network.ids[1], "what is 3 + 4?")
    check(network, liar, question)
    resolution = network.resolution(network.ids[0], question)
    assert resolution.outcome is not None and resolution.outcome.answer == "7"
    assert resolution.answered >= 4, "every honest member is counted"


@pytest.mark.parametrize("seed", SEEDS)
def test_nobody_can_end_a_question_before_its_members_have_answered(seed: int) -> None:
    network, liar = world(seed)
    network.slow_ms = {network.ids[0]: 1_500, network.ids[1]: 1_500, network.ids[2]: 1_500}

    def hurry(liar: Liar, event: Received) -> None:
        item = liar.item(question)
        if item is not None:
            liar.nominate([liar.agenda(Item(item.question, (), ()))])
            liar.act = None

    liar.act = hurry
    question = network.ask(network.ids[1], "what is 3 + 4?", deadline_ms=6_000)
    check(network, liar, question)
    resolution = network.resolution(network.ids[0], question)
    assert resolution.outcome is not None and resolution.outcome.answer == "7"


@pytest.mark.parametrize("seed", SEEDS)
def test_who_contradicts_itself_does_not_end_a_question_early(seed: int) -> None:
    """It is not counted, so its two preferences must not make a turnout."""
    network, liar = world(seed, 4)
    network.slow_ms = {network.ids[2]: 3_000}
    question = network.ask(network.ids[0], "what is 3 + 4?", deadline_ms=8_000)
    liar.send(Records((liar.prefer(question, (("1", 5),)), liar.prefer(question, (("2", 5),)))))
    check(network, liar, question)
    resolution = network.resolution(network.ids[0], question)
    assert resolution.outcome is not None and resolution.answered == 3


def test_points_for_what_is_no_answer_do_not_end_a_question_early() -> None:
    network, liar = world(1, 4)
    network.slow_ms = {network.ids[2]: 3_000}
    question = network.ask(network.ids[0], "what is 3 + 4?", deadline_ms=8_000)
    liar.send(Records((liar.prefer(question, (("no number", 5),)),)))
    check(network, liar, question)
    resolution = network.resolution(network.ids[0], question)
    assert resolution.outcome is not None and resolution.answered == 3


@pytest.mark.parametrize("seed", SEEDS)
def test_agendas_that_nobody_can_fetch_hold_up_nobody(seed: int) -> None:
    network, liar = world(seed)
    for counter in range(1, 200):
        junk = sorted(network.rng.randbytes(32) for _ in range(3))
        b, p, q = Ballot(counter + 9, junk[2]), Ballot(counter + 5, junk[1]), Ballot(counter, junk[0])
        liar.say(Prepare(liar.node, 0, liar.quorum_set, b, p, q))
    junk = sorted(network.rng.randbytes(32) for _ in range(64))
    liar.say(Nominate(liar.node, 0, liar.quorum_set, tuple(junk), tuple(junk)))
    network.run(for_ms=300)
    check(network, liar, network.ask(network.ids[0], "what is 3 + 4?"))


@pytest.mark.parametrize("seed", SEEDS)
def test_who_names_an_agenda_first_and_never_gives_it_hides_it_from_nobody(seed: int) -> None:
    """Asking only the first who named it, again and again, would silence all the honest members that vote for it."""
    network, liar = world(seed, 4, turnout=2, first=True)
    [asker, victim, _] = liar.honest

    def parrot(liar: Liar, event: Received) -> None:
        if isinstance(event.message, Records):
            for record in event.message.records:
                if record.kind is Kind.STATEMENT and isinstance(said := decode(record.body), Nominate):
                    liar.say(Nominate(liar.node, said.slot, said.quorum_set, said.votes, ()))

    liar.act = parrot
    network.on_send = lambda sender, send: [] if send.to == victim and network.now_ms < 4_000 else [send]
    question = network.ask(asker, "what is 3 + 4?", deadline_ms=1_000)
    network.run(lambda: network.now_ms > 4_000)
    assert not network.decided(question, [asker]), "the victim's vote is needed"
    check(network, liar, question)


def bad_agendas(liar: Liar, question: Digest) -> list[Agenda]:
    """Each breaks one rule of what may stand on an agenda."""
    item = liar.item(question)
    assert item is not None
    preference = liar.prefer(question, (("7", 5),))
    forged = Signed(preference.kind, liar.honest[0], preference.body, preference.signature)
    foreign = liar.prefer(b"x" * 32, (("7", 5),))
    greedy = liar.prefer(question, (("7", 60),))
    garbled = liar.sign(Kind.PREFERENCE, b"garbled")
    stranger = Signed(Kind.PREFERENCE, b"s" * 32, preference.body, preference.signature)
    made = [liar.agenda(Item(item.question, (), (one,))) for one in (forged, foreign, greedy, garbled, stranger)]
    return [
        *made,
        liar.agenda(),
        liar.agenda(item, slot=7),
        liar.agenda(item, previous=b"p" * 32),
    ]


@pytest.mark.parametrize("seed", SEEDS)
def test_invalid_agendas_and_statements_change_nothing(seed: int) -> None:
    network, liar = world(seed)

    def pester(liar: Liar, event: Received) -> None:
        if question in liar.records:
            liar.act = None
            agendas = bad_agendas(liar, question)
            liar.nominate(agendas)
            worst = max(agendas, key=lambda agenda: agenda.digest).digest
            ballot = Ballot(1, worst)
            liar.say(Prepare(liar.node, 0, liar.quorum_set, ballot))
            liar.say(Confirm(liar.node, 0, liar.quorum_set, ballot, 1, 1, 1))
            liar.say(Externalize(liar.node, 2**63, liar.quorum_set, ballot, 1))
            other = encode(Externalize(liar.honest[0], 0, liar.quorum_set, ballot, 1))
            liar.send(Records((liar.sign(Kind.STATEMENT, b"junk"), liar.sign(Kind.STATEMENT, other))))
            liar.send(Records((Signed(Kind.STATEMENT, liar.honest[1], other, b"x" * 64),)))
            liar.send(Records((liar.sign(Kind.MEMBER, b"junk"), liar.sign(Kind.QUESTION, b"junk"))))
            liar.send(Agendas((b"", b"junk", agendas[0].encode()[:-1])))

    liar.act = pester
    question = network.ask(network.ids[0], "what is 3 + 4?")
    check(network, liar, question)


def test_agendas_that_nobody_asked_for_are_not_kept() -> None:
    """They would take the room, or the memory, of those that are needed."""
    network, liar = world(0)
    junk = [
        liar.agenda(Item(liar.sign(Kind.QUESTION, network.question(f"is it {n}?").encode()), (), ()))
        for n in range(400)
    ]
    liar.send(Agendas(tuple(agenda.encode() for agenda in junk)))
    network.run(for_ms=200)
    assert all(not core.assembly._driver.agendas for core in network.nodes.values())
    check(network, liar, network.ask(network.ids[0], "what is 3 + 4?"))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("same", [True, False], ids=["the same to all", "others to each"])
def test_a_flood_of_questions_delays_but_keeps_nobody_out(
    seed: int, same: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other questions to each member can never be answered there, and must not stand in the way of the rest."""
    monkeypatch.setattr(questions, "OPEN_PER_ASKER_MAX", 12)
    network, liar = world(seed)
    flood = [network.question(f"what is {n} + {n}?", deadline_ms=1) for n in range(120)]
    if same:
        liar.ask(flood)
    else:
        for place, node in enumerate(liar.honest):
            liar.ask(flood[place * 30 : place * 30 + 30], node)
    network.run(for_ms=1_500)
    assert all(len(core.questions.sessions) <= 12 for core in network.nodes.values())
    asked = [network.ask(node, "what is 3 + 4?") for node in liar.honest]
    check(network, liar, *asked)
    for one in asked:
        outcome = network.resolution(network.ids[0], one).outcome
        assert outcome is not None and outcome.answer == "7"


def test_a_flood_of_preferences_fills_no_disk() -> None:
    network, liar = world(0)
    network.slow_ms = dict.fromkeys(liar.honest, 1_000)
    question = network.ask(network.ids[0], "what is 3 + 4?")
    flood = [liar.prefer(question, ((str(number), 5),)) for number in range(200)]
    for record in sorted(flood, key=Signed.digest, reverse=True):  # Each is smaller than those before.
        liar.send(Records((record,)))
    check(network, liar, question)
    assert all(len(network.disks[node].written) < 30 for node in liar.honest)


def test_old_statements_change_nothing() -> None:
    network, liar = world(3)
    asked = []
    for number in range(5):
        asked.append(network.ask(network.ids[number % 4], f"what is {number} + 4?"))
        assert network.run(lambda: network.decided(asked[-1], liar.honest), SOON_MS)
        liar.send(Records(tuple(liar.of(Kind.STATEMENT))[-200:]))
    before = [list(network.disks[node].entries) for node in liar.honest]
    network.run(for_ms=3_000)
    assert before == [network.disks[node].entries for node in liar.honest]
    check(network, liar, *asked)


@pytest.mark.parametrize("seed", SEEDS)
def test_forged_entries_and_heights_are_not_believed(seed: int) -> None:
    network, liar = world(seed)
    first = network.ask(network.ids[0], "what is 3 + 4?")
    assert network.run(lambda: network.decided(first, liar.honest), SOON_MS)

    def lure(liar: Liar, event: Received) -> None:
        own = liar.sign(Kind.QUESTION, network.question("who pays?").encode())
        agenda = liar.agenda(Item(own, (), (liar.prefer(own.digest(), (("1", 5),)),)))
        said = encode(Externalize(liar.node, agenda.header.slot, liar.quorum_set, Ballot(1, agenda.digest), 1))
        names = [Signed(Kind.STATEMENT, node, said, b"f" * 64) for node in liar.honest]
        statements = (liar.sign(Kind.STATEMENT, said), *names)
        liar.send(Entries(agenda.header.slot, (LedgerEntry(agenda.encode(), statements),)), event.sender)
        liar.send(Entries(agenda.header.slot, (LedgerEntry(b"junk", statements),)), event.sender)

    liar.act = lure
    liar.send(Status(2**63, ()))
    network.run(for_ms=2_000)
    assert all(network.disks[node].height == 1 for node in liar.honest)
    check(network, liar, network.ask(network.ids[1], "what is 4 + 4?"))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_statement_about_another_quorum_set_proves_nothing_and_stops_nobody(seed: int) -> None:
    """Voting counts it, since who has decided waits for nobody; a proof may not hold it."""
    network, liar = world(seed)

    def mislead(liar: Liar, event: Received) -> None:
        if isinstance(event.message, Records):
            for record in event.message.records:
                if record.kind is Kind.STATEMENT and isinstance(said := decode(record.body), Confirm):
                    liar.say(Externalize(liar.node, said.slot, b"q" * 32, Ballot(1, said.ballot.value), 1))

    liar.act = mislead
    question = network.ask(network.ids[0], "what is 3 + 4?")
    check(network, liar, question)
    for node in liar.honest:
        assert liar.node not in {one.author for one in network.entry(node, 0).statements}


def other_to_each(liar: Liar, question: Digest) -> Callable[[Liar, Received], None]:
    """Says something else to each member in every phase, about agendas that are all valid."""

    def act(liar: Liar, event: Received) -> None:
        item = liar.item(question)
        if item is None or not isinstance(event.message, Records):
            return
        rng = liar.network.rng
        kept = tuple(one for one in item.preferences if rng.random() < 0.7)
        agenda = liar.agenda(Item(item.question, item.proposals, kept), slot=0, previous=liar.network.genesis.moot_id)
        liar.serves[agenda.digest] = agenda
        value = rng.choice(sorted(liar.serves))
        b = Ballot(rng.randint(1, 3), value)
        says: list[Statement] = [
            Nominate(liar.node, 0, liar.quorum_set, (value,), (value,)),
            Prepare(liar.node, 0, liar.quorum_set, b, b, None, 1, b.counter),
            Confirm(liar.node, 0, liar.quorum_set, b, b.counter, 1, b.counter),
            Externalize(liar.node, 0, liar.quorum_set, b, b.counter),
        ]
        for node in liar.honest:
            liar.say(rng.choice(says[: 1 + rng.randrange(4)]), node)

    return act


@pytest.mark.parametrize("seed", range(30))
def test_who_says_something_else_to_each_divides_nobody(seed: int) -> None:
    network, liar = world(seed, 4 + seed % 2)
    network.loss = 0.1
    question = network.ask(network.ids[0], "what is 3 + 4?")
    liar.act = other_to_each(liar, question)
    network.run(for_ms=3_000)
    network.loss = 0.0
    check(network, liar, question, within_ms=40_000)

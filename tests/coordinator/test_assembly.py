"""Voting at one member: what it asks for, what it keeps, and when it stays silent."""

from coordinator.agenda_driver import AGENDAS_KEPT, AgendaDriver, VotingSettings
from coordinator.agenda_requests import ASK_AGAIN_MS, AgendaRequests
from coordinator.effects import Effect, Generate, SaveAgenda, SaveVoting, Send
from coordinator.events import Reachable
from coordinator.ledger.agenda import Agenda, Item
from coordinator.ledger.ledger import Ledger
from coordinator.messages import Agendas, Records, Status, Want
from coordinator.signed import Digest, Kind, NodeId, Signed
from coordinator.voting import Ballot, Externalize, Nominate, Prepare, Statement, Validity, encode
from tests.coordinator.ledger.build import Build
from tests.coordinator.solo import Solo, notes, sends, sent_records

BUILD = Build(4)
A, B, C = b"a" * 32, b"b" * 32, b"c" * 32


def wants(effects: list[Effect]) -> dict[NodeId, tuple[Digest, ...]]:
    return {
        effect.to: effect.message.digests
        for effect in effects
        if isinstance(effect, Send) and isinstance(effect.message, Want)
    }


def test_each_who_may_hold_an_agenda_is_asked_in_turn() -> None:
    requests = AgendaRequests()
    lacking = {A: [b"1", b"2", b"3"]}
    asked = [wants(requests.ask(lacking, turn * ASK_AGAIN_MS)) for turn in range(4)]
    assert asked == [{b"1": (A,)}, {b"2": (A,)}, {b"3": (A,)}, {b"1": (A,)}]
    assert requests.next_deadline_ms() == 4 * ASK_AGAIN_MS


def test_nobody_is_asked_twice_at_once_and_what_is_not_lacking_is_forgotten() -> None:
    requests = AgendaRequests()
    assert wants(requests.ask({A: [b"1"], B: [b"1"]}, 0)) == {b"1": (A, B)}
    assert wants(requests.ask({A: [b"1"], C: [b"2"]}, 10)) == {b"2": (C,)}
    assert requests.wanted == {A, C}
    requests.ask({}, 20)
    assert not requests.wanted and requests.next_deadline_ms() is None


def say(member: int, statement: Statement) -> Signed:
    return BUILD.sign(member, Kind.STATEMENT, encode(statement))


def nominate(member: int, *values: Digest, slot: int = 0) -> Signed:
    quorum_set = BUILD.genesis.roster.quorum_set_digest
    return say(member, Nominate(BUILD.ids[member], slot, quorum_set, tuple(sorted(values)), ()))


def agenda(*answers: tuple[tuple[str, int], ...], slot: int = 0, nonce: int = 0) -> Agenda:
    item = BUILD.item(BUILD.question(1, nonce=nonce), answers)
    return Agenda.of(slot, BUILD.genesis.moot_id, 0, [item])


FULL = agenda(*[(("7", 5),)] * 4)


def test_a_statement_waits_for_its_agendas() -> None:
    solo = Solo(BUILD)
    effects = solo.hear_records(solo.others[0], nominate(1, FULL.digest))
    assert wants(effects) == {BUILD.ids[1]: (FULL.digest,)}
    assert not solo.core.assembly.running
    solo.hear(solo.others[1], Agendas((FULL.encode(),)))
    assert solo.core.assembly.running, "who gives it does not matter"


def test_an_agenda_counts_at_once_when_it_comes() -> None:
    """Not at the next message: each would cost the moot a round trip more."""
    solo = Solo(BUILD)
    for member in (1, 2, 3):
        solo.hear_records(solo.others[0], nominate(member, FULL.digest))
    effects = solo.hear(solo.others[0], Agendas((FULL.encode(),)))
    assert [record for record in sent_records(effects) if record.kind is Kind.STATEMENT]
    kinds = [type(effect) for effect in effects if isinstance(effect, SaveAgenda | SaveVoting | Send)]
    assert kinds.index(SaveVoting) < kinds.index(Send), "saved before it is said"
    assert SaveAgenda in kinds[: kinds.index(SaveVoting)]


def test_nothing_is_said_before_enough_members_have_shown_what_they_hold() -> None:
    """One of them may hold a statement of ours from before our disk was lost."""
    solo = Solo(BUILD, met=False)
    solo.step(Reachable(frozenset(BUILD.ids)))
    solo.hear(solo.others[0], Status(0, ()))
    solo.hear_records(solo.others[0], nominate(1, FULL.digest), nominate(2, FULL.digest), nominate(3, FULL.digest))
    solo.hear(solo.others[0], Agendas((FULL.encode(),)))
    assert solo.core.assembly.watching
    solo.hear(solo.others[1], Status(0, ()))
    assert not solo.core.assembly.watching
    assert solo.core.assembly._waiting, "it asks for the agenda now, that came unasked before"
    effects = solo.hear(solo.others[1], Agendas((FULL.encode(),)))
    assert sent_records(effects)


def test_a_statement_that_we_forgot_silences_us_in_its_slot() -> None:
    solo = Solo(BUILD)
    ours = nominate(0, A)
    assert notes(solo.hear_records(solo.others[0], ours)) == ["voting.forgotten"]
    solo.hear_records(solo.others[0], nominate(1, FULL.digest), nominate(2, FULL.digest), nominate(3, FULL.digest))
    effects = solo.hear(solo.others[0], Agendas((FULL.encode(),)))
    assert not [record for record in sent_records(effects) if record.kind is Kind.STATEMENT]
    assert solo.core.assembly.watching


def test_statements_of_the_next_slot_wait_and_of_later_ones_do_not() -> None:
    solo = Solo(BUILD)
    solo.hear_records(solo.others[0], nominate(1, A, slot=1), nominate(2, A, slot=2), nominate(3, A, slot=2**63))
    assert [heard.statement.slot for heard in solo.core.assembly._early.values()] == [1]


def test_contradictions_are_reported() -> None:
    solo = Solo(BUILD)
    other = agenda(*[(("8", 5),)] * 4)
    solo.hear_records(solo.others[0], nominate(1, FULL.digest))
    solo.hear(solo.others[0], Agendas((FULL.encode(),)))
    assert notes(solo.hear_records(solo.others[0], nominate(1, other.digest))) == ["evidence.found"]


def test_refusals_are_named() -> None:
    solo = Solo(BUILD)
    bad = BUILD.sign(1, Kind.STATEMENT, b"junk")
    foreign = BUILD.sign(1, Kind.STATEMENT, nominate(2, A).body)
    assert notes(solo.hear_records(solo.others[0], bad, foreign)) == ["statement.refused"] * 2


def test_ever_new_agendas_do_not_pile_up() -> None:
    """A member may name new ones in every statement; only those of its newest stay."""
    solo = Solo(BUILD)
    digest = BUILD.genesis.roster.quorum_set_digest
    for number in range(1, 3 * AGENDAS_KEPT):
        made = agenda((("7", 5),), (("8", 5),), nonce=number)
        solo.hear_records(solo.others[0], say(1, Prepare(BUILD.ids[1], 0, digest, Ballot(number, made.digest))))
        solo.hear(solo.others[0], Agendas((made.encode(),)))
    assert len(solo.core.assembly._driver.agendas) <= AGENDAS_KEPT + 1
    assert made.digest in solo.core.assembly._driver.agendas


def driver_of(early: set[Digest]) -> AgendaDriver:
    ledger = Ledger(BUILD.genesis)
    return AgendaDriver(BUILD.ids[0], ledger, BUILD.verify, lambda item: item.id not in early, VotingSettings())


def test_an_agenda_with_an_item_that_is_early_is_waited_for_then_taken_without_it() -> None:
    """Else one question that only its nominator knows would hold up all that stand beside it."""
    items = [Item(BUILD.question(1, nonce=nonce), (), ()) for nonce in range(3)]
    both = Agenda.of(0, BUILD.genesis.moot_id, 0, items)
    early = {items[0].id}
    driver = driver_of(early)
    value = driver.add_own(both)
    assert driver.validate(0, value, True) is Validity.MAYBE
    assert driver.validate(0, value, False) is Validity.FULL, "what is voted on in ballots may always be decided"
    driver.now_ms = 2_000
    assert driver.validate(0, value, True) is Validity.INVALID
    part = driver.extract_valid(0, value)
    assert part is not None and {item.id for item in driver.agendas[part].items} == {items[1].id, items[2].id}
    assert driver.extract_valid(0, value) == part
    assert driver.validate(0, part, True) is Validity.FULL
    early.clear()
    assert driver.validate(0, value, True) is Validity.FULL


def test_an_agenda_of_nothing_but_early_items_has_no_part() -> None:
    item = Item(BUILD.question(1), (), ())
    driver = driver_of({item.id})
    value = driver.add_own(Agenda.of(0, BUILD.genesis.moot_id, 0, [item]))
    assert driver.validate(0, value, True) is Validity.MAYBE
    driver.now_ms = 2_000
    assert driver.validate(0, value, True) is Validity.MAYBE


def test_of_an_invalid_agenda_only_the_digest_is_kept() -> None:
    driver = driver_of(set())
    bad = Agenda.of(7, BUILD.genesis.moot_id, 0, FULL.items)
    assert driver.add_bytes(bad.encode(), {bad.digest}) == bad.digest
    assert not driver.agendas and driver.knows(bad.digest)
    assert driver.validate(0, bad.digest, False) is Validity.INVALID
    assert driver.extract_valid(0, bad.digest) is None


def test_what_was_asked_for_is_given() -> None:
    solo = Solo(BUILD)
    record = solo.asked_by(1)
    [asked] = [effect for effect in solo.hear_records(solo.others[0], record) if isinstance(effect, Generate)]
    effects = solo.hear(solo.others[2], Want((asked.question, b"u" * 32)))
    assert sends(effects) == [Records((record,))]


def test_an_externalize_statement_of_an_unknown_slot_brings_nothing() -> None:
    solo = Solo(BUILD)
    said = Externalize(BUILD.ids[1], 2**62, BUILD.genesis.roster.quorum_set_digest, Ballot(1, A), 1)
    assert sends(solo.hear_records(solo.others[0], say(1, said))) == []

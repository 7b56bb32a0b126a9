"""How members keep each other complete, within what messages hold and with no more talk than is needed."""

import pytest

from coordinator import questions
from coordinator.catch_up import ANSWER_MS, ENTRIES_ASK_MS, PUSH_MAX, STATUS_BUSY_MS, STATUS_IDLE_MS
from coordinator.effects import Send, SendEntries
from coordinator.messages import DIGESTS_MAX, RECORDS_MAX, Records, Status, Want, WantEntries
from coordinator.signed import Digest, Kind, NodeId
from coordinator.voting import Externalize, decode
from tests.coordinator.ledger.build import Build
from tests.coordinator.network import Network, found, seven
from tests.coordinator.solo import Solo, sends, sent_records

BUILD = Build(4)


def with_questions(monkeypatch: pytest.MonkeyPatch, count: int) -> Solo:
    """A member that holds questions of another."""
    monkeypatch.setattr(questions, "OPEN_PER_ASKER_MAX", 5_000)
    monkeypatch.setattr(questions, "OPEN_MAX", 20_000)
    solo = Solo(BUILD)
    for number in range(count):
        solo.hear_records(solo.others[0], solo.asked_by(1, nonce=number))
    solo.wait(ANSWER_MS)
    return solo


def test_a_status_is_answered_with_what_each_lacks() -> None:
    solo = Solo(BUILD)
    record = solo.asked_by(1)
    solo.hear_records(solo.others[0], record)
    solo.wait(ANSWER_MS)
    unknown = b"u" * 32
    effects = solo.hear(solo.others[1], Status(0, (unknown,)))
    [status] = [message for message in sends(effects, solo.others[1]) if isinstance(message, Status)]
    assert record.digest() in status.have and list(status.have) == sorted(status.have)
    assert record in sent_records(effects, solo.others[1])
    assert Want((unknown,)) in sends(effects, solo.others[1])
    assert not [effect for effect in effects if isinstance(effect, Send) and effect.to != solo.others[1]]


def test_two_members_exchange_once_and_not_for_ever() -> None:
    """Each status is an answer to one, unless that was an answer too."""
    solo = Solo(BUILD)
    solo.wait(ANSWER_MS)
    first, second = (solo.hear(solo.others[0], Status(0, ())) for _ in range(2))
    assert [type(message) for message in sends(first)] == [Status]
    assert sends(second) == []


def test_little_asked_gives_no_flood(monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty status asks for everything. It may be asked for often, and gives a bounded part at a time."""
    solo = with_questions(monkeypatch, PUSH_MAX + 300)
    effects = solo.hear(solo.others[1], Status(0, ()))
    batches = [message.records for message in sends(effects) if isinstance(message, Records)]
    assert all(len(batch) <= RECORDS_MAX for batch in batches)
    assert sum(map(len, batches)) == PUSH_MAX
    assert not sent_records(solo.hear(solo.others[1], Status(0, ()))), "not again at once"
    solo.wait(ANSWER_MS)
    assert sent_records(solo.hear(solo.others[1], Status(0, ())))


def test_a_member_that_holds_more_than_one_message_shows_all_of_it_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    solo = with_questions(monkeypatch, DIGESTS_MAX + 700)
    shown: set[Digest] = set()
    for _ in range(30):
        [status] = sends(solo.core.catch_up.greet([solo.others[1]], solo.now_ms))
        assert isinstance(status, Status)
        assert len(status.have) <= DIGESTS_MAX and list(status.have) == sorted(set(status.have))
        shown |= set(status.have)
    assert shown >= set(solo.core.questions.sessions)


def test_what_a_full_status_does_not_show_is_not_sent_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who shows a run of 2,048 has perhaps all the rest; only what is missing within the run is lacking for sure."""
    solo = with_questions(monkeypatch, DIGESTS_MAX + 300)
    held = sorted({record.digest() for record in solo.core.questions.held()})
    shown = held[100 : 100 + DIGESTS_MAX + 1]
    lacking = shown.pop(1_000)
    effects = solo.hear(solo.others[1], Status(0, tuple(shown)))
    assert [record.digest() for record in sent_records(effects)] == [lacking]
    solo.wait(ANSWER_MS)
    strange = tuple(sorted(number.to_bytes(32, "big") for number in range(DIGESTS_MAX)))
    assert not sent_records(solo.hear(solo.others[1], Status(0, strange)))


@pytest.mark.parametrize(("busy", "every_ms"), [(False, STATUS_IDLE_MS), (True, STATUS_BUSY_MS)])
def test_how_often_a_random_member_is_greeted(busy: bool, every_ms: int) -> None:
    solo = Solo(BUILD)
    if busy:
        solo.hear_records(solo.others[0], solo.asked_by(1))
    solo.wait(STATUS_IDLE_MS)
    statuses = [message for message in sends(solo.wait(STATUS_IDLE_MS)) if isinstance(message, Status)]
    assert len(statuses) == STATUS_IDLE_MS // every_ms


def test_who_is_ahead_is_asked_and_who_is_behind_is_helped() -> None:
    network = decided_once()
    core = network.nodes[network.ids[0]]
    member = network.ids[1]
    behind = core.catch_up.status(member, Status(0, ()), network.now_ms)
    assert SendEntries(member, 0) in behind
    ahead = core.catch_up.status(member, Status(7, ()), network.now_ms)
    assert Send(member, WantEntries(1)) in ahead
    again = core.catch_up.status(member, Status(7, ()), network.now_ms + ENTRIES_ASK_MS - 1)
    assert not [effect for effect in again if isinstance(effect, Send) and isinstance(effect.message, WantEntries)]


def decided_once(seed: int = 1) -> Network:
    network = Network(found(4), seven, seed)
    network.start()
    network.run(for_ms=1_000)
    question = network.ask(network.ids[0], "what is 3 + 4?")
    assert network.run(lambda: network.decided(question), 5_000)
    return network


@pytest.mark.parametrize("seed", range(6))
def test_a_lost_proof_is_fetched_though_nothing_more_is_decided(seed: int) -> None:
    """Who asked is told only of a proven decision. The others, once they have the proof, say no more about the slot."""
    network = Network(found(4), seven, seed)
    network.start()
    network.run(for_ms=1_000)
    deaf = network.ids[0]

    def lose(sender: NodeId, send: Send) -> list[Send]:
        records = send.message.records if isinstance(send.message, Records) else ()
        said = [decode(record.body) for record in records if record.kind is Kind.STATEMENT]
        return [] if send.to == deaf and any(isinstance(one, Externalize) for one in said) else [send]

    network.on_send = lose
    question = network.ask(deaf, "what is 3 + 4?")
    assert network.run(lambda: network.decided(question, network.ids[1:]), 5_000)
    assert network.run(lambda: network.decided(question, [deaf]), 5_000)
    assert len(network.entry(deaf, 0).statements) >= 3

"""Liars about who is reachable, and with others' words: forged ones never verify, old ones are old."""

from collections import Counter

import pytest

from coordinator.messages import Records
from coordinator.signed import Kind
from node.lab.simulation.lies.memory import signed_in
from node.lab.simulation.lies.reaching import SKEW_MS
from node.membership.events import Status
from node.membership.messages import Ack, Gossip, Nack, Ping, PingReq, SyncReply, SyncRequest
from node.membership.records import AckBody, MemberRecord, Suspicion
from tests.node.lab.simulation.moot_stage import NONCE, WALL_MS, LyingMember


def suspicions(liar: LyingMember) -> list[Suspicion]:
    items = [one for one in liar.signed() if one.kind is Kind.SUSPICION and one.author == liar.moot.liar]
    return [Suspicion.decode(one.body) for one in items]


def own_records(liar: LyingMember) -> list[MemberRecord]:
    items = [one for one in liar.signed() if one.kind is Kind.MEMBER and one.author == liar.moot.liar]
    assert all(liar.moot.verifier.verify(one) for one in items)
    return [MemberRecord.decode(one.body) for one in items]


def test_no_forgery_is_well_signed() -> None:
    """One that were would be no forgery, and what it changed would not be the member's fault."""
    kinds: Counter[Kind] = Counter()
    ways: set[str] = set()
    for seed in range(10):
        liar = LyingMember("forger", seed)
        moot = liar.moot
        heard = {item.signature: item for _, message in moot.conversation() for item in signed_in(message)}
        for sender, message in moot.conversation():
            for told in liar.hear(sender, message):
                [forgery] = signed_in(told.message)
                assert forgery.author != moot.liar and not moot.verifier.verify(forgery)
                kinds[forgery.kind] += 1
                signed = heard.get(forgery.signature)
                own = moot.sign(moot.liar, forgery.kind, forgery.body).signature == forgery.signature
                if forgery.author not in moot.others:
                    ways.add("stranger")
                    continue
                ways.add(
                    "own"
                    if own
                    else "random"
                    if signed is None
                    else "kind"
                    if signed.kind is not forgery.kind
                    else "taken"
                )
    assert ways == {"own", "random", "kind", "taken", "stranger"}
    assert min(kinds[kind] for kind in Kind if kind is not Kind.ENVELOPE) > 5


def test_the_repeater_says_only_what_was_said() -> None:
    liar = LyingMember("repeater")
    heard = {item for _, message in liar.moot.conversation() for item in signed_in(message)}
    for sender, message in liar.moot.conversation():
        liar.hear(sender, message)
        liar.stage.pass_ms(50)
    liar.stage.pass_ms(5_000)
    items = [item for told in liar.stage.told for item in signed_in(told.message)]
    assert len(items) > 50 and {item.kind for item in items} >= {Kind.MEMBER, Kind.STATEMENT, Kind.PREFERENCE}
    assert heard.issuperset(item for item in items if item.author != liar.moot.liar)


def test_the_accuser_accuses_everybody_of_what_they_are() -> None:
    liar = LyingMember("accuser").play(then_ms=5_000)
    found = suspicions(liar)
    assert {one.target for one in found} == set(liar.moot.others)
    assert all(one.key in ((WALL_MS, 0), (WALL_MS, 1)) for one in found)
    assert min(Counter(one.issued_ms for one in found).values()) >= 4 and len(found) > 40, "again and again"


def test_the_burner_accuses_what_nobody_is_yet() -> None:
    found = suspicions(LyingMember("burner").play(then_ms=5_000))
    assert len(found) > 20 and all(one.key > (WALL_MS, 0) for one in found)
    assert max(one.epoch for one in found) > WALL_MS + SKEW_MS


def test_the_lying_relay_never_asks_and_always_answers() -> None:
    proofs = set()
    for seed in range(12):
        liar = LyingMember("lying-relay", seed)
        target = liar.moot.others[1]
        told = liar.hear(liar.moot.others[0], PingReq(9, NONCE, target, 500))
        nack, ack = (one.message for one in told)
        assert nack == Nack(9, target) and isinstance(ack, Ack) and ack.probe == 9
        body = AckBody.decode(ack.ack.body)
        good = liar.moot.verifier.verify(ack.ack)
        assert not (good and ack.ack.author == target and body.nonce == NONCE), "a true answer is no lie"
        proofs.add((good, ack.ack.author == target))
        assert liar.tell(Ping(4, NONCE, liar.moot.others[0])) == []
        assert len(liar.tell(Ping(5, NONCE, liar.moot.liar))) == len(liar.moot.others)
    assert proofs == {(True, False), (False, True)}


def test_the_resurrector_tells_the_oldest_records() -> None:
    liar = LyingMember("resurrector")
    member = liar.moot.others[0]
    for incarnation in range(20):
        liar.hear(member, Gossip((liar.moot.member(member, incarnation),)))
    liar.stage.pass_ms(3_000)
    told = {MemberRecord.decode(one.body).incarnation for one in liar.signed()}
    assert told == {0, 1, 2}


def test_the_address_forger_forges() -> None:
    forged = [one for one in LyingMember("address-forger").play().signed() if b"nowhere" in one.body]
    moot = LyingMember("address-forger").moot
    assert {one.author for one in forged} == set(moot.others)
    assert not any(moot.verifier.verify(one) for one in forged)


def test_two_records_have_one_key() -> None:
    liar = LyingMember("two-records")
    liar.tell(Gossip((liar.moot.member(liar.moot.liar),)))
    liar.tell(SyncRequest(liar.moot.member(liar.moot.liar), b""))
    found = own_records(liar)
    assert len({one.key for one in found}) == 1 and len({one.meta for one in found}) == 2
    assert all(one.status is Status.ALIVE for one in found)


def test_the_epoch_jumper_jumps() -> None:
    liar = LyingMember("epoch-jumper")
    liar.tell(Gossip((liar.moot.member(liar.moot.liar),)))
    liar.stage.pass_ms(300_000)
    epochs = {one.epoch - WALL_MS for one in own_records(liar)}
    assert any(0 < epoch < 2 * SKEW_MS + 60_000 for epoch in epochs) and any(epoch >= 10**10 for epoch in epochs)


def test_the_flood_of_gossip_floods() -> None:
    liar = LyingMember("gossip-flood").play()
    before = len(liar.stage.told)
    liar.stage.pass_ms(12_000)
    told = liar.stage.told[before:]
    seconds = Counter(one.at_ms // 1_000 for one in told)
    assert sum(count >= 200 for count in seconds.values()) >= 3, "two hundred messages in one second"
    assert {type(one.message) for one in told} == {Gossip, Ping, PingReq}


@pytest.mark.parametrize("seed", range(4))
def test_one_that_answers_some_shuns_the_others(seed: int) -> None:
    liar = LyingMember("answers-some", seed)
    answered = {told.to for told in liar.tell(Ping(1, NONCE, liar.moot.liar))}
    assert 0 < len(answered) < len(liar.moot.others)
    assert answered == {told.to for told in liar.tell(Gossip(()))}
    assert len(liar.tell(Records(liar.moot.opinions(liar.moot.liar)))) == len(liar.moot.others)


def test_false_lists_keep_the_record_and_nothing_else() -> None:
    liar = LyingMember("false-lists")
    own, lists = liar.moot.member(liar.moot.liar), set()
    for _ in range(40):
        for told in liar.tell(SyncRequest(own, b"x" * 42)):
            assert isinstance(told.message, SyncRequest) and told.message.own == own
            lists.add(repr(told.message))
    assert len(lists) > 50
    [first, *_] = liar.tell(SyncReply((own,), (own.author,)))
    assert isinstance(first.message, SyncReply)

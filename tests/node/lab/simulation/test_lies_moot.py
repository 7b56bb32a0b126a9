"""Lying members lie as their kinds promise, with no more than their own key, within bounds and alike each time."""

import pytest

from coordinator.ledger.agenda import Agenda
from coordinator.messages import AGENDA_SIZE_MAX, Agendas, Entries, Records, Status, Want, WantEntries
from coordinator.records import AnswerKind, Cost, Preference, Proposal, Question
from coordinator.signed import Kind, Signed
from coordinator.voting import Nominate, Prepare, contradiction, decode
from node.lab.simulation.lies import MOOT_LIES, STATEMENT_LIES, moot_liar
from node.lab.simulation.lies.allowance import PER_MOMENT_MAX, PER_SECOND_MAX
from node.lab.simulation.lies.memory import signed_in
from tests.node.lab.simulation.moot_stage import LyingMember, Moot, MootStage


def preferences(liar: LyingMember, member: bytes) -> list[Preference]:
    """The liar's own that this member was told."""
    records = [one for message in liar.to(member) for one in signed_in(message) if one.kind is Kind.PREFERENCE]
    return [Preference.decode(one.body) for one in records if one.author == liar.moot.liar]


def questions(liar: LyingMember, member: bytes) -> list[Question]:
    records = [one for message in liar.to(member) for one in signed_in(message) if one.kind is Kind.QUESTION]
    return [Question.decode(one.body) for one in records if one.author == liar.moot.liar]


def served(liar: LyingMember) -> list[bytes]:
    """Every agenda behind what it nominated that it gives away."""
    named = [
        value
        for item in liar.signed()
        if item.kind is Kind.STATEMENT and isinstance(said := decode(item.body), Nominate)
        for value in said.votes
    ]
    told = [liar.hear(liar.moot.others[0], Want((value,))) for value in dict.fromkeys(named)]
    return [data for one in told for each in one if isinstance(each.message, Agendas) for data in each.message.agendas]


@pytest.mark.parametrize("kind", MOOT_LIES)
def test_every_lying_member_acts_alike_each_time(kind: str) -> None:
    one, again = (LyingMember(kind, seed=5).play().stage.told for _ in range(2))
    assert one == again


@pytest.mark.parametrize("kind", MOOT_LIES)
def test_no_lying_member_holds_anybody_elses_key(kind: str) -> None:
    """Whatever it says in another's name is what it heard from it, or is badly signed."""
    for seed in range(3):
        liar = LyingMember(kind, seed).play()
        heard = {item for _, message in liar.moot.conversation() for item in signed_in(message)}
        entries = [one.message for one in liar.stage.told if isinstance(one.message, Entries)]
        proofs = [item for message in entries for entry in message.entries for item in entry.statements]
        heard |= set(liar.moot.entry().statements)
        for item in (*liar.signed(), *proofs):
            stolen = item.author != liar.moot.liar and liar.moot.verifier.verify(item)
            assert not stolen or item in heard, item


@pytest.mark.parametrize("kind", MOOT_LIES)
def test_every_lying_member_is_bounded(kind: str) -> None:
    liar = LyingMember(kind)
    for _ in range(20):
        for sender, message in liar.moot.conversation():
            assert len(liar.hear(sender, message)) <= PER_MOMENT_MAX
            assert len(liar.liar.alter(liar.moot.others[0], message)) <= PER_MOMENT_MAX
    liar.stage.pass_ms(20_000)
    seconds = [told.at_ms // 1_000 for told in liar.stage.told]
    assert max((seconds.count(second) for second in set(seconds)), default=0) <= PER_SECOND_MAX


@pytest.mark.parametrize("kind", [kind for kind in MOOT_LIES if kind not in STATEMENT_LIES])
def test_every_lying_member_says_what_its_core_would_not(kind: str) -> None:
    lies = 0
    for seed in range(4):
        liar = LyingMember(kind, seed).play()
        honest = [(other, message) for message in liar.moot.own() for other in liar.moot.others]
        lies += sorted(honest, key=repr) != sorted(((told.to, told.message) for told in liar.stage.told), key=repr)
    assert lies == 4


def test_a_kind_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match=r"known are .*forger"):
        moot_liar("honest", MootStage(Moot()))


def test_the_mirror_speaks_in_signed_records_and_its_core_says_no_statement() -> None:
    liar = LyingMember("mirror")
    moot, (a, b, *_) = liar.moot, liar.moot.others
    for node, value in ((a, b"x" * 32), (b, b"y" * 32)):
        liar.hear(node, Records((moot.story(node, value)[2],)))
    said = {told.to: decode(told.message.records[0].body) for told in liar.stage.told}  # type: ignore[union-attr]
    assert {to: one.prepared.value for to, one in said.items()} == {a: b"x" * 32, b: b"y" * 32}  # type: ignore[union-attr]
    assert all(moot.verifier.verify(item) for item in liar.signed())
    assert liar.tell(Records((moot.story(moot.liar)[0],))) == []
    assert len(liar.tell(Records(moot.opinions(moot.liar)))) == len(moot.others)


def test_the_equivocator_has_a_valid_agenda_for_each_member() -> None:
    liar = LyingMember("equivocator").play()
    said = {
        other: [
            decode(one.body)
            for message in liar.to(other)
            for one in signed_in(message)
            if one.kind is Kind.STATEMENT and one.author == liar.moot.liar
        ]
        for other in liar.moot.others
    }
    first, second = (
        [s for s in said[other] if not isinstance(s, Nominate | Prepare)] for other in liar.moot.others[:2]
    )
    assert contradiction(first[0], second[0]) == "accepted to commit two values"
    agendas = [Agenda.decode(data) for data in served(liar)]
    assert len({agenda.digest for agenda in agendas}) >= len(liar.moot.others)
    for agenda in agendas:
        authors = {one.author for one in agenda.items[0].preferences}
        assert authors == set(liar.moot.ids), "it leaves nobody out, or nobody would vote for it"


def test_equivocators_divide_members_over_several_questions_alike() -> None:
    """Each member gets an agenda that it would vote for, not the one of its neighbor, and the same from every liar."""
    values = []
    for seed in range(2):
        liar = LyingMember("equivocator", seed)
        moot = liar.moot
        other = Question("what is 4 + 4?", AnswerKind.NUMBER, (), 5_000, "", 0, b"r" * 16)
        second = moot.sign(moot.others[1], Kind.QUESTION, other.encode())
        liar.tell(Records(moot.opinions(moot.liar)))
        liar.tell(Records((_preference(moot, moot.liar, second.digest()),)))
        for node in moot.others:
            told = (moot.question, second, *moot.opinions(node), _preference(moot, node, second.digest()))
            liar.hear(node, Records(told))
        liar.hear(moot.others[0], Records((moot.story(moot.others[0])[0],)))
        said = {
            told.to: decode(told.message.records[0].body)
            for told in liar.stage.told
            if isinstance(told.message, Records) and told.message.records[0].kind is Kind.STATEMENT
        }
        values.append({to: one.votes for to, one in said.items() if isinstance(one, Nominate)})
        assert [len(agenda.items) for agenda in map(Agenda.decode, served(liar))] == [1, 1]
    assert values[0] == values[1] and len(set(values[0].values())) == 2 and len(values[0]) == 4


def _preference(moot: Moot, node: bytes, question: bytes) -> Signed:
    return moot.sign(node, Kind.PREFERENCE, Preference(question, (("8", 5),), Cost()).encode())


def test_withheld_agendas_are_never_given() -> None:
    liar = LyingMember("agenda-withholder").play()
    assert served(liar) == []
    assert liar.tell(Agendas((liar.moot.agenda.encode(),))) == []
    votes = [
        value
        for item in liar.signed()
        if item.kind is Kind.STATEMENT
        and item.author == liar.moot.liar
        and isinstance(said := decode(item.body), Nominate)
        for value in said.votes
    ]
    assert len(set(votes)) > 3


def test_forged_agendas_break_their_rules() -> None:
    bad = 0
    for seed in range(6):
        liar = LyingMember("agenda-forger", seed).play()
        moot = liar.moot
        for data in served(liar):
            try:
                agenda = Agenda.decode(data)
            except ValueError:
                bad += 1
                continue
            header = agenda.header
            records = [one for item in agenda.items for one in (item.question, *item.proposals, *item.preferences)]
            wrong_place = (header.slot, header.previous, header.epoch) != (0, moot.genesis.moot_id, 0)
            forged = any(not moot.verifier.verify(one) for one in records)
            foreign = any(
                one.body == b"garbled" or _about(one) != moot.question.digest() or _points(one) > 5 for one in records
            )
            assert wrong_place or forged or foreign or not agenda.items
            bad += 1
    assert bad > 20


def _about(record: object) -> bytes:
    kind, body = record.kind, record.body  # type: ignore[attr-defined]
    if kind is Kind.QUESTION:
        return record.digest()  # type: ignore[attr-defined, no-any-return]
    return (Preference if kind is Kind.PREFERENCE else Proposal).decode(body).question


def _points(record: object) -> int:
    kind, body = record.kind, record.body  # type: ignore[attr-defined]
    return sum(points for _, points in Preference.decode(body).points) if kind is Kind.PREFERENCE else 0


def test_the_hoarder_offers_the_largest_agendas() -> None:
    sizes = [len(data) for data in served(LyingMember("agenda-hoarder").play())]
    assert sizes and max(sizes) > 400_000 and max(sizes) <= AGENDA_SIZE_MAX
    assert len(sizes) < 10, "others have work with each"


def test_the_picker_and_the_hurrier_leave_members_out() -> None:
    for kind, full in (("cherry-picker", 5), ("hurrier", 1)):
        items = [item for data in served(LyingMember(kind).play()) for item in Agenda.decode(data).items]
        counts = {len(item.preferences) for item in items}
        assert min(counts) < 4 and max(counts) <= full, kind


def test_the_usurper_is_approved_by_itself_alone() -> None:
    sizes, approvers = set(), set()
    for seed in range(4):
        liar = LyingMember("usurper", seed).play(then_ms=10_000)
        moot = liar.moot
        agendas = [Agenda.decode(data) for data in served(liar)]
        items = [agenda.change for agenda in agendas if agenda.change is not None]
        approvals = [one for item in items for one in item.approvals]
        approvals += [one for one in liar.signed() if one.kind is Kind.APPROVAL]
        changes = [one for one in liar.signed() if one.kind is Kind.CHANGE] + [item.change for item in items]
        assert all(moot.verifier.verify(one) and one.author == moot.liar for one in changes)
        assert {one.author for one in approvals if moot.verifier.verify(one)} == {moot.liar}
        approvers |= {one.author for one in approvals}
        sizes |= {len(one.body) for one in changes}
        assert len(items) > 3 and len(changes) > 20
    assert approvers >= set(moot.others) and max(sizes) > 50 * 60 > 300 > min(sizes), "from a seat to fifty strangers"


def test_two_answers_contradict_each_other() -> None:
    liar = LyingMember("two-answers")
    liar.tell(Records(liar.moot.opinions(liar.moot.liar)))
    told = {other: preferences(liar, other)[0].points for other in liar.moot.others}
    assert len(set(told.values())) == 2
    proposals = {one.body for one in liar.signed() if one.kind is Kind.PROPOSAL}
    assert len(proposals) == 2 and all(liar.moot.verifier.verify(one) for one in liar.signed())


def test_too_many_points_are_more_than_the_charter_gives() -> None:
    liar = LyingMember("too-many-points")
    liar.tell(Records(liar.moot.opinions(liar.moot.liar)))
    points = [sum(count for _, count in preferences(liar, other)[0].points) for other in liar.moot.others]
    assert min(points) > liar.moot.genesis.charter.samples


def test_stray_answers_go_astray() -> None:
    liar = LyingMember("stray-answers").play(then_ms=30_000)
    about, contents, garbled = set(), set(), 0
    for item in liar.signed():
        if item.author == liar.moot.liar and item.kind in (Kind.PREFERENCE, Kind.PROPOSAL):
            contents.add(item.digest())
            try:
                about.add(_about(item))
            except ValueError:
                garbled += 1
    assert liar.moot.question.digest() in about and len(about) > 5 and garbled > 0 and len(contents) > 50


def test_two_texts_are_other_questions_to_each() -> None:
    liar = LyingMember("two-texts").play()
    asked = [questions(liar, other) for other in liar.moot.others]
    assert all(asked) and len({texts[0].text for texts in asked}) == len(asked)
    assert len({texts[0].nonce for texts in asked}) == 1


def test_the_flood_of_questions_ends() -> None:
    totals = set()
    for seed in range(80):
        liar = LyingMember("question-flood", seed)
        liar.stage.pass_ms(60_000)
        records = {item.digest() for item in liar.signed() if item.kind is Kind.QUESTION}
        totals.add(len(records))
    assert 30 <= min(totals) <= 40 and 200 < max(totals) <= 300, "within the share mostly, beyond it rarely"


def test_false_heights_are_false() -> None:
    liar = LyingMember("false-heights").play(then_ms=20_000)
    heights = {told.message.height for told in liar.stage.told if isinstance(told.message, Status)}
    assert {0, 1 << 40} <= heights
    assert not any(isinstance(told.message, Entries) for told in liar.stage.told), "it has nothing to show for it"


def test_the_wanter_wants_what_there_is_and_what_there_is_not() -> None:
    liar = LyingMember("wanter").play()
    wanted = [digest for told in liar.stage.told if isinstance(told.message, Want) for digest in told.message.digests]
    assert liar.moot.agenda.digest in wanted and len(set(wanted)) > 1_000
    assert sum(isinstance(told.message, WantEntries) for told in liar.stage.told) > 10


def test_forged_entries_prove_nothing() -> None:
    """Each breaks the chain, the agenda or the proof: none is what a quorum has decided."""
    kinds = set()
    for seed in range(8):
        liar = LyingMember("entry-forger", seed).play()
        moot, true = liar.moot, liar.moot.entry()
        for told in liar.stage.told:
            for entry in told.message.entries if isinstance(told.message, Entries) else ():
                assert isinstance(told.message, Entries)
                good = {one.author for one in entry.statements if moot.verifier.verify(one)}
                says = {_value(one.body) for one in entry.statements}
                follows = told.message.slot == 0 and entry.agenda == true.agenda
                proven = len(good) >= moot.genesis.charter.threshold and says == {moot.agenda.digest}
                assert not (follows and proven)
                kinds.add((follows, proven))
    assert kinds == {(True, False), (False, True), (False, False)}


def _value(body: bytes) -> bytes:
    return decode(body).commit.value  # type: ignore[union-attr]

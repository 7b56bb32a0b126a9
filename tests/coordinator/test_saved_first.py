"""What a member has said is on its disk before anybody hears it, and is taken up again from there."""

from collections.abc import Sequence

from coordinator.effects import Effect, SaveAgenda, SaveRecord, SaveVoting, Send
from coordinator.events import ModelFailed
from coordinator.messages import Agendas
from coordinator.restored import Restored
from coordinator.signed import Kind, Signed
from tests.coordinator.solo import Solo, notes, sent_records
from tests.coordinator.test_assembly import BUILD, FULL, nominate
from tests.coordinator.test_questions import asked_id


def said(effects: Sequence[Effect], kind: Kind) -> list[Signed]:
    return [record for record in sent_records(effects) if record.kind is kind]


def test_an_answer_is_kept_before_it_is_sent() -> None:
    for answered in (True, False):
        solo = Solo(BUILD)
        question = asked_id(solo.ask())
        effects = solo.answer(question, "7") if answered else solo.step(ModelFailed(question, "down"))
        assert said(effects, Kind.PREFERENCE)
        kinds = [type(effect) for effect in effects if isinstance(effect, SaveRecord | Send)]
        assert SaveRecord not in kinds[kinds.index(Send) :]


def voted() -> tuple[SaveVoting, tuple[bytes, ...], list[Signed]]:
    """What a member has saved and said that nominates what the three others do."""
    solo = Solo(BUILD)
    solo.hear_records(solo.others[0], *(nominate(member, FULL.digest) for member in (1, 2, 3)))
    effects = solo.hear(solo.others[0], Agendas((FULL.encode(),)))
    *_, saved = [effect for effect in effects if isinstance(effect, SaveVoting)]
    agendas = tuple(effect.agenda for effect in effects if isinstance(effect, SaveAgenda))
    return saved, agendas, said(effects, Kind.STATEMENT)


def test_after_a_crash_its_own_word_is_no_surprise() -> None:
    """Else it would fall silent in each slot in which it was restarted, or say something else."""
    saved, agendas, statements = voted()
    solo = Solo(BUILD, Restored(voting=(saved.slot, saved.state, saved.statements), agendas=agendas))
    assert notes(solo.hear_records(solo.others[0], statements[-1])) == []
    assert not solo.core.assembly.watching
    assert {record.digest() for record in saved.statements} <= {one.digest() for one in solo.core.assembly.records()}

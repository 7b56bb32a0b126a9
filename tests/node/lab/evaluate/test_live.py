"""A live moot, measured through a client that answers by script as a node would."""

from collections.abc import Sequence
from typing import Any, cast

import pytest

from coordinator.tally import only
from node.api import AskEvent, DecisionReport, MemberReport
from node.lab.evaluate.comparing import row
from node.lab.evaluate.live import LiveMoot, MootUnfit
from tests.node.lab.evaluate.scripted import Silent, item

NODES = {"ada": bytes([1]) * 32, "bea": bytes([2]) * 32}
MODELS = {"ada": bytes([3]) * 32, "bea": bytes([4]) * 32}


class FakeNode:
    """ada always says 7 and bea 8; whoever alone is asked decides."""

    def __init__(self, names: Sequence[str] = ("bea", "ada")) -> None:
        self.names = names
        self.rules: list[str] = []

    def members(self) -> list[MemberReport]:
        members = [{"name": name, "node": NODES.get(name, bytes(32)).hex()} for name in self.names]
        return cast(list[MemberReport], members)

    def ask(
        self,
        text: str,
        kind: str | None,
        options: Sequence[str],
        deadline_ms: int | None,
        tally: str | None,
        wait_s: float | None,
    ) -> list[AskEvent]:
        assert tally is not None, "a rule is named, so that the node does not choose one member by itself"
        self.rules.append(tally)
        asked = [name for name in NODES if tally in ("points", "plurality", only(NODES[name]))]
        parts = [_part(name, "7" if name == "ada" else "8", name in asked) for name in NODES]
        cost = _cost(len(asked))
        decision = {"answer": "8" if "bea" in asked else "7", "members": parts, "cost": cost}
        return [
            {"event": "asked", "id": ""},
            {"event": "decided", "id": "", "decision": cast(DecisionReport, decision)},
        ]


def _part(name: str, answer: str, asked: bool) -> dict[str, Any]:
    return {
        "name": name,
        "counts": [(answer, 4)] if asked else [],
        "samples": 5 if asked else 0,
        "points": [(answer, 4)] if asked else [],
        "model": MODELS[name].hex() if asked else None,
        "cost": _cost(int(asked)),
    }


def _cost(times: int) -> dict[str, Any]:
    return {
        "forward_passes": 9 * times,
        "prompt_tokens": 10 * times,
        "generated_tokens": 50 * times,
        "model_ms": 1.0,
    }


def test_decisions_and_members_are_counted_and_the_best_is_asked_alone() -> None:
    node = FakeNode()
    moot = LiveMoot(node)
    measured = moot.prepare(["points"])
    moot.measure([item(text=f"what is {number} + 4?") for number in range(70)], Silent(), measured)
    found = row(measured, "points", None)
    assert measured.members == ("ada", "bea") and measured.members[found.best] == "ada"
    assert (found.team.right, found.best_share.right, found.alone.right) == (0, 70, 70)
    assert (found.against.gained, found.against.lost, found.against.verdict) == (0, 70, "worse")
    assert found.spent.tokens == 120 * 70
    assert node.rules.count(only(NODES["ada"])) == 70, "10 tokens and 50, then 50: one sample is missing of 120 tokens"
    assert (found.drawn_alone, found.samples_alone) == (70 * 10, 70 * 11), "and it could not change what 8 samples say"
    assert found.spent_alone.tokens == found.spent.tokens and found.same_cost == 1
    assert measured.digests == (MODELS["ada"], MODELS["bea"]) and measured.is_equal
    assert [len(draw.answers) for draw in measured.cases[0].drawn] == [5, 5], "a sample without an answer is one too"


def test_two_rules_are_two_decisions() -> None:
    node = FakeNode()
    moot = LiveMoot(node)
    measured = moot.prepare(["points", "plurality"])
    moot.measure([item()], Silent(), measured)
    assert sorted(set(node.rules) - {only(NODES["ada"])}) == ["plurality", "points"]
    assert [len(verdicts) for verdicts in measured.verdicts.values()] == [1, 1]


def test_what_cannot_be_measured_is_refused() -> None:
    with pytest.raises(MootUnfit, match="revise: no voting rule of a moot; with --home choose plurality, points"):
        LiveMoot(FakeNode()).prepare(["points", "revise"])
    with pytest.raises(MootUnfit, match="the same name"):
        LiveMoot(FakeNode(("ada", "ada")))

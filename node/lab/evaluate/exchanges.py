"""The ways that ask members again, knowing what the others answered: requests, and the points that replies give."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from coordinator import prompts
from coordinator.answers import ARROW, count
from coordinator.records import sorted_points
from node.lab.evaluate.case import Case, Points, favourite
from node.model.requests import GenerateRequest, Sampling, ScoreRequest
from node.model.results import Generated, Scored

CANDIDATES_MAX = 8
"""Answers of which members judge or score one: those with the most points."""

Request = GenerateRequest | ScoreRequest


@dataclass(frozen=True, slots=True)
class Terms:
    """How members are asked, the same for all.

    Args:
        samples: of each member, for each question.
        seed: of this measurement; what a request draws follows from it, the question and the member.
    """

    samples: int
    temperature: float
    tokens_max: int
    seed: int

    def draw(self, prompt: str, samples: int, *about: str | int) -> GenerateRequest:
        """Samples as a node draws them; without temperature they would all be the same, so one is drawn then."""
        return GenerateRequest(
            prompt=prompt,
            samples=samples if self.temperature else 1,
            tokens_max=self.tokens_max,
            stop=("\n",),
            sampling=Sampling(temperature=self.temperature, seed=self.seed_of(prompt, *about)),
        )

    def greedy(self, prompt: str) -> GenerateRequest:
        return GenerateRequest(prompt=prompt, tokens_max=self.tokens_max, stop=("\n",))

    def seed_of(self, *about: str | int) -> int:
        return int.from_bytes(sha256(repr((self.seed, *about)).encode()).digest()[:8], "big")


def candidates(case: Case) -> list[str]:
    """Everybody's answers, those with the most points first."""
    points: dict[str, int] = {}
    for draw in case.drawn:
        for answer, given in draw.counts:
            points[answer] = points.get(answer, 0) + given
    return [answer for answer, _ in sorted_points(points)][:CANDIDATES_MAX]


def ask_scores(case: Case, member: int, terms: Terms) -> tuple[Request, ...]:
    """How likely each candidate is after this member's own worked steps, where it wrote some."""
    proposed = candidates(case)
    if len(proposed) < 2:
        return ()
    return (
        ScoreRequest(prompt=case.item.prompt, written=_steps(case, member), continuations=tuple(proposed), closed=True),
    )


def scored(case: Case) -> list[Points]:
    """A member's points in proportion to the probabilities; who could not be asked keeps its own."""
    found = list[Points]()
    for member, draw in enumerate(case.drawn):
        result = _result(case, "scored", member)
        if not isinstance(result, Scored):
            found.append(draw.counts)
            continue
        logs = [score.logprob for score in result.scores]
        weights = [math.exp(log - max(logs)) for log in logs]
        found.append(spread(candidates(case), weights, max(1, len(draw.answers))))
    return found


def ask_revisions(case: Case, member: int, terms: Terms) -> tuple[Request, ...]:
    said = [favourite(case.item, draw.counts) for draw in case.drawn]
    others = [answer for other, answer in enumerate(said) if other != member and answer is not None]
    if not others:
        return ()
    prompt = _message(prompts.revise(case.item.prompt, others, said[member] or ""))
    return (terms.draw(prompt, terms.samples, "revise", member),)


def revised(case: Case) -> list[Points]:
    """A member's second samples; who could not be asked again keeps its first."""
    found = list[Points]()
    for member, draw in enumerate(case.drawn):
        result = _result(case, "revise", member)
        found.append(count(case.item.question, result.texts) if isinstance(result, Generated) else draw.counts)
    return found


def ask_verdicts(case: Case, member: int, terms: Terms) -> tuple[Request, ...]:
    proposed = candidates(case)
    if len(proposed) < 2:
        return ()
    return tuple(terms.greedy(_message(prompts.judge(case.item.prompt, one))) for one in proposed)


def judged(case: Case) -> list[Points]:
    """What a member holds for right, each far above what its samples say, which only break ties."""
    found, proposed = list[Points](), candidates(case)
    for member, draw in enumerate(case.drawn):
        points = dict(draw.counts)
        replies = case.replies["judge"][member] if "judge" in case.replies else ()
        above = 1 + sum(len(one.answers) for one in case.drawn)
        for candidate, reply in zip(proposed, replies, strict=False):
            if isinstance(reply.result, Generated) and prompts.verdict_of(reply.result.texts[0]):
                points[candidate] = points.get(candidate, 0) + above
        found.append(sorted_points(points))
    return found


def spread(names: Sequence[str], weights: Sequence[float], points: int) -> Points:
    """Whole points in proportion to weights, the largest remainders rounded up (Hamilton's method)."""
    whole = sum(weights)
    exact = [weight / whole * points for weight in weights]
    given = [math.floor(share) for share in exact]
    order = sorted(range(len(names)), key=lambda i: (given[i] - exact[i], -exact[i], names[i]))
    for i in order[: points - sum(given)]:
        given[i] += 1
    return sorted_points({name: count for name, count in zip(names, given, strict=True) if count})


def _steps(case: Case, member: int) -> str:
    """The beginning of the member's own answer: its steps, up to where the answer itself stands."""
    draw = case.drawn[member]
    mine = favourite(case.item, draw.counts)
    for text, answer in zip(draw.texts, draw.answers, strict=True):
        if answer == mine and ARROW in text:
            steps, _, _ = text.rpartition(ARROW)
            return f"{steps}{ARROW} "
    return ""


def _message(prompt: str) -> str:
    """Without the last line's end, which the engine adds for a model without a chat template."""
    return prompt.removesuffix("\n")


def _result(case: Case, way: str, member: int) -> Generated | Scored | None:
    replies = case.replies[way][member] if way in case.replies else ()
    return replies[0].result if replies else None

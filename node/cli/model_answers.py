"""How answers of a model are printed: texts, scored answers, likely tokens; to stdout, and what they took to stderr."""

import math
from typing import Any

from node.cli.model_print import account_line, account_report, harmless
from node.cli.terminal import answer, answer_json, is_plain, print_table, say
from node.model.requests import GenerateRequest, ScoreRequest
from node.model.results import Account, End, Generated, NextTokens, Scored

__all__ = ["choices", "harmless", "texts", "tokens"]

ENDS = {End.MODEL: "the model ended it", End.STOP: "a stop text ended it", End.LENGTH: "cut at its longest"}


def texts(prompt: str, request: GenerateRequest, generated: Generated, shown: bool, as_json: bool) -> None:
    """Args: shown: the text is on the screen already."""
    if as_json:
        report: dict[str, Any] = {
            "prompt": prompt,
            "texts": generated.texts,
            "ends": [end.value for end in generated.ends],
            "lengths": generated.lengths,
        }
        if request.likelihood:
            report["logprobs"] = generated.logprobs
        answer_json(report | {"account": account_report(generated.account)})
        return
    if shown:
        if not generated.texts[0].endswith("\n"):
            answer("")
        say((_about(generated, 0), "dim"))
    else:
        for number, text in enumerate(generated.texts):
            if request.samples > 1:
                say((f"{number + 1} of {request.samples}: {_about(generated, number)}", "dim"))
            text = text.removesuffix("\n")
            answer(text if is_plain() else harmless(text))
            if request.samples == 1:
                say((_about(generated, 0), "dim"))
    _account(generated.account)


def _about(generated: Generated, number: int) -> str:
    parts = [ENDS[generated.ends[number]]]
    if generated.lengths:
        parts.append(f"{generated.lengths[number]} tokens")
    if generated.logprobs:
        logprob, length = generated.logprobs[number], max(1, generated.lengths[number])
        parts.append(f"log-likelihood {logprob:.2f}, {logprob / length:.3f} a token")
    return ", ".join(parts)


def choices(prompt: str, request: ScoreRequest, scored: Scored, as_json: bool) -> None:
    """Likeliest first; the shares are of these answers alone."""
    scores = scored.scores
    shares = _shares([score.calibrated if request.calibrated else score.logprob for score in scores])
    if as_json:
        found = [
            {"text": text, "logprob": score.logprob, "tokens": score.tokens, "share": share}
            | ({"unconditional": score.unconditional} if request.calibrated else {})
            for text, score, share in zip(request.continuations, scores, shares, strict=True)
        ]
        answer_json({"prompt": prompt, "options": found, "account": account_report(scored.account)})
        return
    columns = ["answer", "share", "logprob", "per token"] + ["calibrated"] * request.calibrated
    rows = []
    for number in sorted(range(len(scores)), key=lambda number: -shares[number]):
        score = scores[number]
        row = [request.continuations[number], f"{shares[number]:.1%}", f"{score.logprob:.3f}", f"{score.mean:.3f}"]
        rows.append(row + ([f"{score.calibrated:.3f}"] if request.calibrated else []))
    print_table(columns, rows, right=columns[1:])
    _account(scored.account)


def _shares(logprobs: list[float]) -> list[float]:
    """Of each among these; all alike if none can be."""
    largest = max(logprobs)
    if largest == -math.inf:
        return [1 / len(logprobs)] * len(logprobs)
    weights = [math.exp(logprob - largest) for logprob in logprobs]
    return [weight / sum(weights) for weight in weights]


def tokens(prompt: str, found: NextTokens, as_json: bool) -> None:
    if as_json:
        listed = [
            {
                "token": token.token,
                "text": token.text.decode("utf-8", "replace"),
                "bytes": token.text.hex(),
                "logprob": token.logprob,
                "ends": token.ends,
            }
            for token in found.tokens
        ]
        answer_json({"prompt": prompt, "tokens": listed, "account": account_report(found.account)})
        return
    rows = [
        [
            "(the answer ends)" if token.ends else repr(token.text.decode("utf-8", "backslashreplace")),
            f"{math.exp(token.logprob):.2%}",
            f"{token.logprob:.3f}",
            str(token.token),
        ]
        for token in found.tokens
    ]
    print_table(["next", "probability", "logprob", "token"], rows, right=["probability", "logprob", "token"])
    _account(found.account)


def _account(account: Account) -> None:
    say((account_line(account), "dim"))

"""`moot model bench`: how many answers a model gives here in a second, how soon, and with how much memory."""

import asyncio
from dataclasses import dataclass
from typing import Any

from node.cli.model_errors import WrongModelOption, told
from node.cli.model_named import Named, open_named
from node.cli.model_print import mebibytes
from node.cli.terminal import answer_json, is_plain, print_table, say
from node.lab.bench.engine import load
from node.lab.bench.engine.load import HIGH, MEDIAN, Load
from node.model.engine import Engine
from node.model.local.process import ModelProcess
from node.model.local.settings import ProcessSettings

CALLERS_MAX = 256
PROMPT_TOKENS_MAX = 512
SEED = 1


@dataclass(frozen=True, slots=True)
class Plan:
    callers: tuple[int, ...]
    tokens: int
    seconds: float


def bench_model(chosen: Named, callers: str, tokens: int, seconds: float, as_json: bool) -> None:
    """Measure, and print a table."""
    plan = Plan(_callers(callers), tokens, seconds)
    if not as_json:
        say(
            f"{chosen.text}: each caller asks a short question of its own, again and again for {seconds:g} s; "
            f"answers end by themselves or after {tokens} tokens"
        )
    with told():
        report = asyncio.run(_measure(chosen, plan, quiet=as_json))
    if as_json:
        answer_json(report)
    else:
        _print(report)


def _callers(text: str) -> tuple[int, ...]:
    parts = text.split(",")
    numbers = [int(part) for part in parts if part.isascii() and part.isdigit()]
    if len(numbers) < len(parts) or not all(1 <= number <= CALLERS_MAX for number in numbers):
        raise WrongModelOption(f"--callers {text}: must be numbers from 1 to {CALLERS_MAX} with commas between")
    return tuple(numbers)


async def _measure(chosen: Named, plan: Plan, *, quiet: bool) -> dict[str, Any]:
    settings = ProcessSettings(queue_max=CALLERS_MAX)
    engine, uses = await open_named(chosen, settings)
    try:
        info = await engine.describe()
        levels = []
        requests = load.short_answers(plan.tokens, SEED, uses)
        await engine.generate(next(requests))  # its pages are read in
        for callers in plan.callers:
            if not quiet and not is_plain(error=True):
                say((f"{callers} at once ...", "dim"))
            measured = await load.measure(engine, requests, callers, plan.seconds)
            levels.append(_level(measured, load.memory_bytes(_pid(engine))))
        length = min(PROMPT_TOKENS_MAX, info.context_length // 2)
        here = isinstance(engine, ModelProcess)  # a server may have its own idea of what is a long prompt
        read = await load.prompt_tokens_per_s(engine, length, plan.seconds, SEED) if here else 0.0
    finally:
        await engine.close()
    return {
        "model": chosen.text,
        "name": info.name,
        "parameters": info.parameters,
        "threads": chosen.load.threads,
        "parallel": info.parallel,
        "seconds": plan.seconds,
        "tokens_max": plan.tokens,
        "levels": levels,
        "prompt_tokens": length,
        "prompt_tokens_per_s": round(read, 1),
    }


def _pid(engine: Engine) -> int | None:
    return engine.pid if isinstance(engine, ModelProcess) else None


def _level(measured: Load, memory: int | None) -> dict[str, Any]:
    return {
        "callers": measured.callers,
        "answers": len(measured.waits_s),
        "seconds": round(measured.seconds, 3),
        "answers_per_s": round(measured.answers_per_s, 2),
        "tokens_per_s": round(measured.tokens_per_s, 1),
        "tokens_an_answer": round(measured.account.generated_tokens / len(measured.waits_s), 1),
        "median_ms": round(measured.wait_ms(MEDIAN), 1),
        "high_ms": round(measured.wait_ms(HIGH), 1),
        "cached_share": round(measured.cached_share, 3),
        "memory_bytes": memory,
    }


def _print(report: dict[str, Any]) -> None:
    columns = ["callers", "answers/s", "tokens/s", "tokens each", "median", "95 %", "cached", "memory"]
    rows = [
        [
            str(level["callers"]),
            f"{level['answers_per_s']:,.1f}",
            f"{level['tokens_per_s']:,.0f}" if level["tokens_per_s"] else "-",
            f"{level['tokens_an_answer']:.1f}" if level["tokens_per_s"] else "-",
            f"{level['median_ms']:,.1f} ms",
            f"{level['high_ms']:,.1f} ms",
            f"{level['cached_share']:.0%}",
            "-" if level["memory_bytes"] is None else mebibytes(level["memory_bytes"]),
        ]
        for level in report["levels"]
    ]
    print_table(columns, rows, right=columns)
    if report["prompt_tokens_per_s"]:
        say(
            f"one caller's prompts of about {report['prompt_tokens']} tokens are read at "
            f"{report['prompt_tokens_per_s']:,.0f} tokens a second"
        )
    threads = f"{report['threads']} thread{'s' if report['threads'] > 1 else ''}"
    say(f"{threads}, {report['parallel']} samples at once; cached: share of the prompts' tokens found evaluated")

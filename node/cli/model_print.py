"""How models and their answers are shown: sizes, accounts of requests, and text that nobody here wrote."""

from collections.abc import Sequence
from typing import Any

from rich.text import Text

from node.cli.show import plural
from node.cli.terminal import console
from node.model.results import Account

_MIB = 1 << 20
_KEPT = "\n\t"


def mebibytes(size: int) -> str:
    if size >= 10 * 1024 * _MIB:
        return f"{size / 1024 / _MIB:,.1f} GiB"
    return f"{size / _MIB:,.1f} MiB" if size < 100 * _MIB else f"{size / _MIB:,.0f} MiB"


def count(parameters: int) -> str:
    """Of a model's parameters; empty for unknown."""
    if parameters <= 0:
        return ""
    return f"{parameters / 1e9:.2f} billion" if parameters >= 1e9 else f"{parameters / 1e6:.1f} million"


def print_facts(facts: Sequence[tuple[str, str]]) -> None:
    """Aligned `key  value` lines on stdout."""
    width = max(len(name) for name, _ in facts)
    for name, value in facts:
        console().print(Text.assemble((f"{name:<{width}}  ", "dim"), value), soft_wrap=True)


def seconds(us: int) -> str:
    return f"{us / 1e6:.1f} s" if us >= 10_000_000 else f"{us / 1000:.1f} ms"


def account_line(account: Account) -> str:
    """What one request took. Counts of which the model's server says nothing are left out."""
    parts = []
    if account.forward_passes:
        parts.append(plural(account.forward_passes, "forward pass", "forward passes"))
    cached = f" and {account.cached_tokens:,} found evaluated" if account.cached_tokens else ""
    if account.prompt_tokens or account.cached_tokens or account.generated_tokens:
        parts.append(f"{plural(account.prompt_tokens, 'token')} in{cached}, {account.generated_tokens:,} out")
    if account.waited_us:
        parts.append(f"waited {seconds(account.waited_us)}")
    rate = account.generated_tokens / account.model_us * 1e6 if account.model_us else 0.0
    speed = f" ({rate:,.0f} tokens a second)" if rate else ""
    return "; ".join([*parts, f"took {seconds(account.model_us)}{speed}"])


def account_report(account: Account) -> dict[str, Any]:
    return {name: getattr(account, name) for name in Account.__dataclass_fields__}


def harmless(text: str) -> str:
    """Text of a model without what would move a terminal's cursor or change its colours: those show as dots."""
    return "".join(letter if letter.isprintable() or letter in _KEPT else "·" for letter in text)

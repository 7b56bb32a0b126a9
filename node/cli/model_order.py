"""From the options of `moot model try` to requests: whatever cannot be is refused before a model is loaded."""

from pathlib import Path

from node.cli.model_errors import WrongModelOption
from node.cli.model_named import AdapterFile, Named, adapter_path
from node.cli.model_talk import Asked, Choosing, Looking, Order, Writing
from node.cli.model_wishes import Wishes
from node.model.requests import GenerateRequest, Grammar, NextRequest, Sampling, ScoreRequest


def order_of(wishes: Wishes, chosen: Named) -> Order:
    """All of a talk but the prompts.

    Raises:
        WrongModelOption: the options do not go together, or a file cannot be read.
        ValueError: one has a value that no request may have.
    """
    return Order(chosen, _asked(wishes), wishes.written, wishes.raw, wishes.as_json)


def _asked(wishes: Wishes) -> Asked:
    if wishes.options and wishes.next_tokens is not None:
        raise WrongModelOption("--option and --next: choose one")
    if (wishes.schema or wishes.grammar) and (wishes.options or wishes.next_tokens is not None):
        raise WrongModelOption("--schema and --grammar are for texts; leave out --option and --next")
    if (wishes.closed or wishes.calibrated) and not wishes.options:
        raise WrongModelOption("--closed and --calibrated say how to score: name answers with --option")
    if wishes.options:
        return Choosing(
            ScoreRequest(prompt="", continuations=wishes.options, closed=wishes.closed, calibrated=wishes.calibrated)
        )
    if wishes.next_tokens is not None:
        return Looking(NextRequest(prompt="", top=wishes.next_tokens))
    sampling = Sampling(
        temperature=wishes.temperature,
        top_k=wishes.top_k,
        top_p=wishes.top_p,
        min_p=wishes.min_p,
        seed=wishes.seed,
    )
    return Writing(
        GenerateRequest(
            prompt="",
            samples=wishes.samples,
            tokens_max=wishes.tokens,
            sampling=sampling,
            stop=wishes.stops,
            grammar=_grammar(wishes.schema, wishes.grammar),
            likelihood=wishes.likelihood,
        )
    )


def _grammar(schema: Path | None, grammar: Path | None) -> Grammar | None:
    if schema is not None and grammar is not None:
        raise WrongModelOption("--schema and --grammar: choose one")
    if schema is not None:
        return Grammar("json_schema", _read(schema))
    return Grammar("gbnf", _read(grammar)) if grammar is not None else None


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise WrongModelOption(f"{file}: {error.strerror}") from error
    except UnicodeDecodeError:
        raise WrongModelOption(f"{file}: not a text in UTF-8") from None


def adapter_file(text: str) -> AdapterFile:
    """FILE, reference:NAME, or either with :SCALE; a colon that no number follows belongs to the name."""
    file, _, scale = text.rpartition(":")
    try:
        return AdapterFile(adapter_path(file or text), float(scale) if file else 1.0)
    except ValueError:
        return AdapterFile(adapter_path(text), 1.0)

"""What is wrong with settings, in words for the person who wrote them: where, what, and what to do."""

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ValidationError

_SHOWN_MAX = 60
"""Characters of a wrong value that are repeated."""
_EXPECTED = {
    "int_type": "must be a whole number, without quotes",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number, without quotes",
    "finite_number": "must be a finite number",
    "string_type": 'must be text, in "quotes"',
    "tuple_type": 'must be a list, such as ["host:port"]',
    "list_type": "must be a list",
    "dict_type": "must be a section of its own",
    "model_type": "must be a section of its own",
    "bool_type": "must be true or false",
}


def problems_of(error: ValidationError, root: type[BaseModel]) -> list[str]:
    """One line for each problem, in the order of the fields."""
    return [text for problem in error.errors(include_url=False) for text in _lines(problem, root)]


def _lines(problem: Mapping[str, Any], root: type[BaseModel]) -> list[str]:
    loc: Sequence[str | int] = problem["loc"]
    at, value, context = _at(loc), problem["input"], problem.get("ctx", {})
    match problem["type"]:
        case "missing":
            return [f"{at}: missing; write {_example(loc, root)}"]
        case "extra_forbidden":
            return [f"{at}: unknown; {_elsewhere(loc, value, root)}"]
        case "greater_than_equal":
            return [f"{at} = {_shown(value)}: must be at least {_plain(context['ge'])}"]
        case "less_than_equal":
            return [f"{at} = {_shown(value)}: must be at most {_plain(context['le'])}"]
        case "literal_error":
            return [f"{at} = {_shown(value)}: must be {context['expected'].replace(chr(39), chr(34))}"]
        case "value_error" if isinstance(value, (str, int)):
            return [f"{at} = {_shown(value)}: {context['error']}"]
        case "value_error":  # Of a section as a whole: each line names its own key.
            texts = str(context["error"]).splitlines()
            return [f"[{at}] {text.removeprefix('  - ')}" for text in texts if not text.endswith("problem(s)")]
        case kind:
            return [f"{at} = {_shown(value)}: {_EXPECTED.get(kind, problem['msg'])}"]


def _at(loc: Sequence[str | int]) -> str:
    """As it stands in the file: [section] key, and which entry of a list."""
    names = [str(part) for part in loc if not (isinstance(part, str) and "[" in part)]  # Pydantic names validators too.
    if len(names) < 2:
        return names[0]
    return f"[{names[0]}] {'.'.join(names[1:])}"


def _elsewhere(loc: Sequence[str | int], value: object, root: type[BaseModel]) -> str:
    sections = {name: field.annotation for name, field in root.model_fields.items()}
    models = {
        name: model for name, model in sections.items() if isinstance(model, type) and issubclass(model, BaseModel)
    }
    word = str(loc[-1])
    known = list(models[str(loc[0])].model_fields) if len(loc) > 1 else list(sections)
    for name, model in models.items():
        if word in model.model_fields and not isinstance(value, dict):
            return f"it belongs in [{name}]"
    return nearest(word, known)


def nearest(word: str, known: Iterable[str]) -> str:
    """What a wrong name may have meant."""
    close = get_close_matches(word, known, n=1, cutoff=0.45)
    return f"did you mean {close[0]}?" if close else f"there are {', '.join(known)}"


def _plain(number: float) -> str:
    return str(int(number)) if number == int(number) else str(number)


def _example(loc: Sequence[str | int], root: type[BaseModel]) -> str:
    assert len(loc) == 1, "every setting in a section has a default"
    [allowed] = getattr(root.model_fields[str(loc[0])].annotation, "__args__", ("...",))
    return f"{loc[0]} = {allowed} at the top"


def _shown(value: object) -> str:
    text = f'"{value}"' if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)
    shown = "".join(letter if letter.isprintable() else "?" for letter in text)
    return shown if len(shown) <= _SHOWN_MAX else f"{shown[:_SHOWN_MAX]}..."

"""Makes a grammar of a JSON schema, with llama-cpp-python's converter, kept from what it does not bear.

Found by trying: it writes repetitions out one by one, so that a minLength of 10^9 takes all memory; a pattern with a
lone ] or } makes it loop for ever; definitions whose names have other signs than letters and digits are gone through
anew wherever they are named; those beside a $ref are not found; quotes and backslashes in constants break the grammar.
"""

import json
import re
from typing import Any
from urllib.parse import unquote

from llama_cpp.llama_grammar import INVALID_RULE_CHARS_RE, SchemaConverter

from node.model.errors import GrammarInvalid

COUNT_MAX = 256
"""Of minItems, maxItems, minLength, maxLength, and repetitions in a pattern."""
_CHOICES = ("anyOf", "oneOf", "enum", "type")
_COUNTS = ("minItems", "maxItems", "minLength", "maxLength")
_NOT_FOLLOWED = frozenset(
    "not if then else patternProperties propertyNames dependentSchemas dependentRequired contains uniqueItems "
    "minimum maximum exclusiveMinimum exclusiveMaximum multipleOf minProperties maxProperties $dynamicRef".split()
)
"""What the converter passes over, so that answers need not fit."""


def gbnf_of_schema(text: str) -> str:
    """Raises: GrammarInvalid: no JSON schema, or one that cannot be made a grammar; the message says why."""
    try:
        schema = json.loads(text)
        converter = _Converter(schema)
        converter.visit(schema, "")
        return str(converter.format_grammar())
    except RecursionError:
        raise GrammarInvalid("the schema is nested too deeply or has too many optional properties") from None
    except json.JSONDecodeError as error:
        raise GrammarInvalid(f"the schema is no JSON: {error}") from None
    except (AssertionError, ValueError, TypeError, AttributeError, LookupError) as error:
        raise GrammarInvalid(f"the schema cannot be followed: {error or type(error).__name__}") from None


def _check_count(key: str, value: Any) -> None:
    if not isinstance(value, int) or not 0 <= value <= COUNT_MAX:
        raise GrammarInvalid(f"{key} is {value!r}; choose 0 to {COUNT_MAX}")


_PATTERN_PARTS = re.compile(r"\\.|\[(?:\\.|[^\]\\])*\]|\{(\d{1,9}),?(\d{0,9})\}|[^\]}{\[\\]", re.DOTALL)


def _check_pattern(pattern: Any) -> None:
    if not isinstance(pattern, str):
        raise GrammarInvalid(f"a pattern is {pattern!r}")
    at = 0
    while at < len(pattern):
        found = _PATTERN_PARTS.match(pattern, at)
        if found is None:
            raise GrammarInvalid(f"the pattern {pattern!r} cannot be read from {pattern[at : at + 20]!r} on")
        for count in found.groups(default=""):
            if count:
                _check_count(f"a repetition in the pattern {pattern!r}", int(count))
        at = found.end()


class _Parts(dict[str, Any]):
    """What $ref finds in a schema: by JSON pointer, in this schema alone. Source: RFC 6901, section 6."""

    def __init__(self, schema: Any) -> None:
        super().__init__()
        self._schema = schema

    def __missing__(self, reference: Any) -> Any:
        if not isinstance(reference, str) or not reference.startswith("#"):
            raise ValueError(f"$ref is {reference!r}; only parts of the schema itself can be named, as in #/$defs/name")
        part = self._schema
        for step in unquote(reference).split("/")[1:]:
            step = step.replace("~1", "/").replace("~0", "~")
            try:
                part = part[int(step) if isinstance(part, list) else step]
            except (LookupError, TypeError, ValueError):
                raise ValueError(f"{reference} is not in the schema") from None
        return part


class _Converter(SchemaConverter):  # type: ignore[misc]
    """llama-cpp-python's, with mistakes put right that its callers can reach."""

    def __init__(self, schema: Any) -> None:
        super().__init__(prop_order={}, allow_fetch=False, dotall=False, raw_pattern=False)
        self._refs = _Parts(schema)
        self._named: dict[str, str] = {}

    def visit(self, schema: Any, name: str) -> Any:
        """Every part that is turned into rules comes through here, also what a $ref finds."""
        if not isinstance(schema, dict):
            raise ValueError(f"{schema!r} is no schema")
        for key in schema.keys() & _NOT_FOLLOWED:
            raise ValueError(f"{key} cannot be made a grammar; leave it out")
        for key in _CHOICES:
            if schema.get(key) == []:
                raise ValueError(f"{key} offers nothing")
        for key in _COUNTS:
            _check_count(key, schema.get(key, 0))
        for kind in ("Items", "Length"):
            if (least := schema.get(f"min{kind}", 0)) > (most := schema.get(f"max{kind}", COUNT_MAX)):
                raise ValueError(f"min{kind} is {least} and max{kind} is {most}")
        _check_pattern(schema.get("pattern", ""))
        return super().visit(schema, name)

    def _format_literal(self, literal: str) -> str:
        """A JSON text as GBNF writes it: its own quotes and backslashes are letters."""
        plain = json.dumps(json.loads(literal), ensure_ascii=False)
        return '"' + plain.replace("\\", "\\\\").replace('"', '\\"') + '"'

    def _resolve_ref(self, ref: str) -> str:
        """A definition becomes one rule, however often it is named and whatever its name."""
        if ref not in self._named:
            part = self._refs[ref]
            name = f"{INVALID_RULE_CHARS_RE.sub('-', ref.split('/')[-1])}-of-{len(self._named)}"
            self._named[ref] = name
            made = self.visit(part, name)
            if made != name:
                self._rules[name] = made
        return self._named[ref]

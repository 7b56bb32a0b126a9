"""Settings as a commented TOML file, made from the settings' own documentation so that the two cannot drift apart."""

import json
import textwrap
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

WIDTH = 100


def render(settings: BaseModel) -> str:
    """Every field with what it is for, its unit, its default and its value; one that is not set is commented out."""
    lines = ["# Settings of a Moot node. The node reads them when it starts."]
    sections: list[str] = []
    for name, field in type(settings).model_fields.items():
        value = getattr(settings, name)
        if isinstance(value, BaseModel):
            sections += ["", "", *_comment(type(value).__doc__ or ""), f"[{name}]", *_section(value, name)]
        else:
            lines += ["", *_comment(field.description or ""), f"{name} = {_toml(value)}"]
    return "\n".join([*lines, *sections]) + "\n"


def _section(section: BaseModel, path: str) -> list[str]:
    lines: list[str] = []
    tables: list[str] = []  # A table ends the keys of the section above it, so all tables come last.
    for name, field in type(section).model_fields.items():
        value = getattr(section, name)
        if isinstance(value, dict):
            rows = [f"{key} = {_toml(entry)}" for key, entry in value.items()]
            tables += ["", *_comment(field.description or ""), f"[{path}.{name}]", *rows]
        else:
            assigned = f"# {name} = {_toml(_extra(field, 'example'))}" if value is None else f"{name} = {_toml(value)}"
            lines += ["", *_comment(f"{field.description} {_facts(field)}"), assigned]
    return lines + tables


def _facts(field: FieldInfo) -> str:
    unit = _extra(field, "unit")
    default = "not set" if field.default is None else _toml(field.default)
    return f"({unit}; default: {default})" if unit else f"(default: {default})"


def _extra(field: FieldInfo, name: str) -> Any:
    extra = field.json_schema_extra
    return extra.get(name) if isinstance(extra, dict) else None


def _comment(text: str) -> list[str]:
    return [f"# {line}" for line in textwrap.wrap(text, WIDTH, break_long_words=False, break_on_hyphens=False)]


def _toml(value: Any) -> str:
    match value:
        case bool() | str():
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
        case int() | float():
            return repr(value)
        case tuple() | list():
            return f"[{', '.join(_toml(entry) for entry in value)}]"
    raise AssertionError(f"settings hold no {type(value).__name__}")

"""Where the command line prints: answers to stdout, talk to stderr, and plain wherever no person looks on."""

import json
import os
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

PLAIN_WIDTH = 10_000
"""Nothing is cut or wrapped for a pipe or a file."""


def is_plain(error: bool = False) -> bool:
    """No terminal on that stream, or the person asked for no colour (no-color.org)."""
    stream = sys.stderr if error else sys.stdout
    return not stream.isatty() or bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"


def console(*, error: bool = False) -> Console:
    """A console on stdout or stderr as it is now."""
    stream = sys.stderr if error else sys.stdout
    plain = is_plain(error)
    return Console(
        stderr=error,
        color_system=None if plain else "auto",
        force_terminal=False if plain else None,
        width=PLAIN_WIDTH if not stream.isatty() else None,
        highlight=False,
        markup=False,
        emoji=False,
    )


def answer(text: str) -> None:
    """What the command was run for. Never styled and never wrapped, so that it can be used in a script."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def answer_json(report: Any) -> None:
    answer(json.dumps(report, ensure_ascii=False))


def say(*parts: str | tuple[str, str]) -> None:
    """Talk: one line of text, or (text, style) parts, to stderr."""
    console(error=True).print(Text.assemble(*parts), soft_wrap=True)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str | Text]], right: Sequence[str] = ()) -> None:
    """Aligned columns without lines around them, on stdout. A terminal cuts long lines; nothing else does."""
    out = console()
    cells = [[Text(name, style="dim") for name in columns]]
    cells += [[cell if isinstance(cell, Text) else Text(cell) for cell in row] for row in rows]
    widths = [max(line[column].cell_len for line in cells) for column in range(len(columns))]
    for line in cells:
        for cell, name, width in zip(line, columns, widths, strict=True):
            cell.pad_left(width - cell.cell_len) if name in right else cell.pad_right(width - cell.cell_len)
        joined = Text("  ").join(line)
        joined.rstrip()
        out.print(joined, no_wrap=True, overflow="ellipsis", crop=True)

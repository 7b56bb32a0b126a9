"""The runner of recorded scripts: it must fail on any difference, and rewriting must change outputs only."""

from pathlib import Path

import pytest

from tests.datadriven import run_script

SCRIPT = """# Says hello.
hello b
----
hello
b

# Nothing to say.
quiet
----

"""


def execute(command: str) -> list[str]:
    return command.split() if command.startswith("hello") else []


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "script.txt"
    path.write_text(SCRIPT)
    return path


def test_equal_output_passes(script: Path) -> None:
    run_script(script, execute, rewrite=False)


@pytest.mark.parametrize(
    "change", [("hello\nb\n", "hello\n"), ("hello\nb\n", "hello\nb\nc\n"), ("----\n\n", "----\nx\n\n")]
)
def test_any_difference_fails(script: Path, change: tuple[str, str]) -> None:
    script.write_text(SCRIPT.replace(*change))
    with pytest.raises(AssertionError, match="recorded:"):
        run_script(script, execute, rewrite=False)


def test_rewriting_records_outputs_and_keeps_the_rest(script: Path) -> None:
    script.write_text(SCRIPT.replace("hello\nb\n", "something else\n"))
    run_script(script, execute, rewrite=True)
    assert script.read_text() == SCRIPT.rstrip("\n") + "\n"
    run_script(script, execute, rewrite=False)


@pytest.mark.parametrize("text", ["", "# only a comment\n", "hello\n", "hello\nb\n----\n"])
def test_what_is_no_script_is_refused(script: Path, text: str) -> None:
    """A file that is skipped in silence would be a test that cannot fail."""
    script.write_text(text)
    with pytest.raises(ValueError, match=r"not followed|no commands"):
        run_script(script, execute, rewrite=False)


def test_an_empty_line_cannot_be_recorded(script: Path) -> None:
    with pytest.raises(ValueError, match="empty line"):
        run_script(script, lambda command: [""], rewrite=True)

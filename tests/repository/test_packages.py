"""What people install holds all that a node needs, and nothing else."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.repository.tree import ROOT

MODELS_MIN = 5
MODEL_BYTES_MAX = 5 * 1000 * 1000
MODELS_BYTES_MAX = 25 * 1000 * 1000


def files_of(folder: str, pattern: str) -> dict[str, int]:
    found = (path for path in (ROOT / folder).rglob(pattern) if "__pycache__" not in path.parts)
    return {path.relative_to(ROOT).as_posix(): path.stat().st_size for path in found if path.is_file()}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> dict[str, int]:
    """Names and sizes of what is in the wheel, built from this tree."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert built.returncode == 0, built.stderr
    (path,) = Path(folder).glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        return {entry.filename: entry.file_size for entry in archive.infolist()}


def test_wheel_holds_all_code_and_data(wheel: dict[str, int]) -> None:
    """A file that is missing from the wheel is noticed only by those who do not run from a checkout."""
    ours = files_of("node", "*") | files_of("coordinator", "*")
    generated = {path.removeprefix("proto/"): size for path, size in files_of("proto", "*_pb2*").items()}
    assert generated
    missing = {path: size for path, size in (ours | generated).items() if wheel.get(path) != size}
    assert missing == {}


def test_wheel_holds_nothing_else(wheel: dict[str, int]) -> None:
    """Tests, caches and set-up scripts are no part of what people install."""
    tops = {path.split("/")[0] for path in wheel}
    assert {top for top in tops if not top.startswith("moot-")} == {"node", "coordinator", "moot"}
    assert [path for path in wheel if "__pycache__" in path] == []


def test_reference_models_ship_and_are_small(wheel: dict[str, int]) -> None:
    """Without them nothing runs right after the installation; larger ones would weigh on every clone."""
    models = {
        path: size
        for path, size in wheel.items()
        if path.startswith("node/model/reference/") and path.endswith(".gguf")
    }
    assert len(models) >= MODELS_MIN
    assert {path: size for path, size in models.items() if size > MODEL_BYTES_MAX} == {}
    assert sum(models.values()) <= MODELS_BYTES_MAX

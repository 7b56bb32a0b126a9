"""The generated code is what the .proto files give: nobody edits one without the other."""

import subprocess
import sys
from pathlib import Path

from tests.repository.tree import ROOT

PROTO = ROOT / "proto"


def test_generated_code_is_fresh(tmp_path: Path) -> None:
    """Peers of one version would otherwise speak another language than its .proto files say."""
    sources = sorted(path.relative_to(PROTO).as_posix() for path in PROTO.rglob("*.proto"))
    assert sources
    command = [
        sys.executable,
        "-m",
        "grpc_tools.protoc",
        f"-I{PROTO}",
        f"--python_out={tmp_path}",
        f"--pyi_out={tmp_path}",
    ]
    subprocess.run([*command, *sources], check=True)
    assert generated(PROTO) == generated(tmp_path), "run make proto, and commit what changes"


def generated(folder: Path) -> dict[str, str]:
    files = [*folder.rglob("*_pb2.py"), *folder.rglob("*_pb2.pyi")]
    return {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in files}

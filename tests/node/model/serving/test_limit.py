"""What the process may take of the machine's memory: a request that needs more ends it, and is not let in again."""

import resource
import subprocess
import sys
from pathlib import Path

import pytest

from node.model.errors import GrammarInvalid, ModelDied
from node.model.local.process import ModelProcess
from node.model.serving.limit import SPARE_BYTES
from tests.node.model.local.asking import ask
from tests.node.model.processes import pid_of, wait_until

ROOT = Path(__file__).parents[4]
RULES = 990
DEEP = "\n".join(
    ["root ::= x0", *(f"x{depth} ::= x{depth + 1} y" for depth in range(RULES)), f'x{RULES} ::= "a" x0', 'y ::= "b"']
)
"""Every "a" lets llama.cpp note a thousand more rules to come back to, in a thousand copies at once: 8 MB more each."""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is no limit")


def held_bytes(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmData:"):
            return int(line.split()[1]) * 1024
    raise AssertionError(f"process {pid} does not say")


async def test_a_process_that_is_ready_is_limited(engine: ModelProcess) -> None:
    soft, _ = resource.prlimit(pid_of(engine), resource.RLIMIT_DATA)
    assert SPARE_BYTES < soft - held_bytes(pid_of(engine)) < SPARE_BYTES + (1 << 30), "it needs little itself"


async def test_who_needs_more_ends_the_process_and_is_not_let_in_again(engine: ModelProcess) -> None:
    """Twice: then the grammar is known. Each time the process is up again, and others are served."""
    for _ in range(2):
        await engine.generate(ask("x", tokens_max=2, grammar='root ::= "a" root'))
        first = pid_of(engine)
        _, hard = resource.prlimit(first, resource.RLIMIT_DATA)
        resource.prlimit(first, resource.RLIMIT_DATA, (held_bytes(first) + (16 << 20), hard))
        with pytest.raises(ModelDied, match=r"ran out of memory: it .*; it last said: "):
            await engine.generate(ask("x", tokens_max=900, grammar=DEEP))
        await wait_until(lambda first=first: engine.pid not in (first, None))  # type: ignore[misc]
    with pytest.raises(GrammarInvalid, match="2 times when the model's process ended"):
        await engine.generate(ask("x", grammar=DEEP))
    assert (await engine.generate(ask("x", tokens_max=2))).lengths == (2,)


def test_a_tighter_limit_stays() -> None:
    """It was set by who runs the node."""
    program = (
        "import resource; from node.model.serving.limit import limit_growth\n"
        "of, tight = resource.RLIMIT_DATA, (1 << 30, 1 << 31)\n"
        "resource.setrlimit(of, tight); limit_growth(0); assert resource.getrlimit(of) == tight"
    )
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, timeout=60)

"""How much a model will need and how much there is."""

from pathlib import Path

import pytest

from node.model import gguf_header
from node.model.engine import LoadSettings
from node.model.gguf_header import Header, Value
from node.model.llamacpp import memory


def header(entries: dict[str, Value], vocabulary: int = 32_000) -> Header:
    return Header(3, 1, "llama", {f"llama.{key}": value for key, value in entries.items()}, {}, vocabulary)


LLAMA_8B = header(
    {
        "block_count": 32,
        "embedding_length": 4_096,
        "context_length": 131_072,
        "attention.head_count": 32,
        "attention.head_count_kv": 8,
    },
    vocabulary=128_256,
)


def test_a_cell_holds_keys_and_values_of_all_layers() -> None:
    """Llama 3 8B: 32 layers x 8 heads x (128 + 128) values x 2 bytes = 128 KiB, as its makers say."""
    assert memory.cell_bytes(LLAMA_8B) == 128 * 1024


@pytest.mark.parametrize(
    ("entries", "size"),
    [
        pytest.param({"attention.head_count": 4}, 2 * 4 * 16 * (4 + 2), id="every head has its own"),
        pytest.param(
            {"attention.head_count": 4, "attention.head_count_kv": (1, 0)}, 16 * (4 + 2), id="a layer has none"
        ),
        pytest.param(
            {"attention.head_count": 4, "attention.head_count_kv": 1, "attention.key_length": 576,
             "attention.value_length": 512},
            2 * (576 + 512) * 2,
            id="heads of their own width",
        ),
        pytest.param({"attention.head_count": 0}, 1, id="no attention at all"),
        pytest.param({"attention.head_count": "four"}, 2 * 1 * 128 * 2, id="nonsense counts as missing"),
    ],
)  # fmt: skip
def test_cells_of_other_shapes(entries: dict[str, Value], size: int) -> None:
    assert memory.cell_bytes(header({"block_count": 2, "embedding_length": 64, **entries})) == size


def test_the_cache_is_what_was_paid_for_but_never_less_than_two_requests() -> None:
    settings = LoadSettings(context_length=4_096, cache_mib=2_048)
    assert memory.cells(LLAMA_8B, settings) == 2_048 * 8
    assert memory.cells(LLAMA_8B, LoadSettings(context_length=4_096, cache_mib=1)) == 2 * 4_096


def test_the_cache_is_no_larger_than_what_can_be_used(model_file: Path) -> None:
    small = gguf_header.check(model_file)
    assert memory.cells(small, LoadSettings(cache_mib=100_000, parallel=8)) == 8 * 256
    assert memory.cells(small, LoadSettings(cache_mib=100_000, parallel=1)) == memory.CELLS_MIN


def test_what_is_needed_counts_weights_cache_and_outputs(tmp_path: Path) -> None:
    path = tmp_path / "weights"
    path.write_bytes(bytes(1_000))
    settings = LoadSettings(context_length=4_096, cache_mib=2_048)
    outputs = 2 * memory.BATCH_TOKENS * 128_256 * 4
    expected = 1_000 + (2_048 << 20) + outputs + memory.WORK_BYTES
    assert memory.needed(path, LLAMA_8B, settings) == expected
    on_gpu = LoadSettings(context_length=4_096, cache_mib=2_048, gpu_layers=33)
    assert memory.needed(path, LLAMA_8B, on_gpu) == outputs + memory.WORK_BYTES


def test_a_cell_is_as_large_as_llama_cpp_makes_it(model_file: Path) -> None:
    """The state of a sequence holds its cells and a few words for each."""
    from node.model.llamacpp.context import Context
    from node.model.llamacpp.model import Model
    from node.model.llamacpp.native import native
    from tests.node.model.llamacpp.driving import read

    model = Model(model_file, LoadSettings())
    context = Context(model, 1, 1_024, 256, 1)
    sizes = []
    for length in (100, 200):
        context.clear()
        read(context, [5] * length)
        sizes.append(native.llama_state_seq_get_size(context.pointer, 0))
    assert 0 <= (sizes[1] - sizes[0]) / 100 - memory.cell_bytes(model.header) < 32
    context.close()
    model.close()


MEMINFO = "MemTotal:       24684388 kB\nMemFree:          100 kB\nMemAvailable:   8000 kB\n"


@pytest.mark.parametrize(
    ("files", "free"),
    [
        pytest.param({}, None, id="a system that does not say"),
        pytest.param({"proc/meminfo": MEMINFO}, 8_000 * 1_024, id="the machine alone"),
        pytest.param(
            {
                "proc/meminfo": MEMINFO,
                "proc/self/cgroup": "0::/box/inner\n",
                "sys/fs/cgroup/box/memory.max": "1000000\n",
                "sys/fs/cgroup/box/memory.current": "600000\n",
                "sys/fs/cgroup/box/memory.stat": "anon 1\ninactive_file 50000\n",
                "sys/fs/cgroup/box/inner/memory.max": "max\n",
                "sys/fs/cgroup/box/inner/memory.current": "5\n",
            },
            450_000,
            id="a group of groups has the limit",
        ),
        pytest.param(
            {
                "proc/meminfo": MEMINFO,
                "proc/self/cgroup": "4:cpu:/x\n3:memory:/x\n",
                "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
                "sys/fs/cgroup/memory/memory.usage_in_bytes": "1\n",
                "sys/fs/cgroup/memory/x/memory.limit_in_bytes": "7000000\n",
                "sys/fs/cgroup/memory/x/memory.usage_in_bytes": "1000000\n",
            },
            6_000_000,
            id="groups of the first version",
        ),
        pytest.param(
            {
                "proc/meminfo": MEMINFO,
                "proc/self/cgroup": "0::/\n",
                "sys/fs/cgroup/memory.max": "100\n",
                "sys/fs/cgroup/memory.current": "300\n",
            },
            0,
            id="more used than allowed",
        ),
    ],
)
def test_what_is_free(tmp_path: Path, files: dict[str, str], free: int | None) -> None:
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert memory.available(tmp_path) == free


def test_this_machine_has_something_free() -> None:
    free = memory.available()
    assert free is None or free > 1 << 20

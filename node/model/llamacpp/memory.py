"""What a model will need of this machine's memory, known before it is loaded: afterwards the system would end us."""

from pathlib import Path

from node.model.engine import LoadSettings
from node.model.errors import ModelTooLarge
from node.model.gguf_header import Header, Value

CELL_VALUE_BYTES, WIDE_VALUE_BYTES = 2, 4  # of llama.cpp's cache: 16-bit floats and, for short keys, 32-bit ones
SHORT_KEY = 64
OUTPUT_VALUE_BYTES = 4
BATCH_TOKENS = 512
"""Most tokens of one forward pass; llama.cpp's default, and what its buffers are sized for."""
CELLS_MIN = 1_024  # a model of short context still gets room for many samples
WORK_BYTES = (
    64 << 20
)  # the interpreter and llama.cpp's graph; measured: 54 MiB for a tiny model, 65 MiB for a small one
_MIB = 1 << 20


def _per_layer(value: Value | None, layers: int, otherwise: int) -> list[int]:
    match value:
        case int():
            return [value] * layers
        case tuple() if len(value) == layers:
            return [int(each) for each in value]
        case _:
            return [otherwise] * layers


def wide_keys(header: Header) -> bool:
    """Whether keys are best kept as 32-bit floats.

    llama.cpp multiplies 16-bit keys 64 values at a time where the processor can, and those that are left over one by
    one, each looked up in a table. With heads of 32 values a pass of 16 samples took 3.8 ms, with 32-bit keys 2.7 ms.
    """
    return _lengths(header)[0] < SHORT_KEY


def _lengths(header: Header) -> tuple[int, int]:
    """Of one head's keys and values."""
    heads = _per_layer(header.entry("attention.head_count"), header.number("block_count"), 1)
    width = header.number("embedding_length") // max(1, max(heads, default=1))
    return header.number("attention.key_length", width), header.number("attention.value_length", width)


def cell_bytes(header: Header) -> int:
    """Bytes that one token takes in the cache: its keys and values in all layers."""
    layers = header.number("block_count")
    heads = _per_layer(header.entry("attention.head_count"), layers, 1)
    heads_kv = [kv or 0 for kv in _per_layer(header.entry("attention.head_count_kv"), layers, max(heads, default=1))]
    key, value = _lengths(header)
    key_bytes = WIDE_VALUE_BYTES if wide_keys(header) else CELL_VALUE_BYTES
    return max(1, sum(heads_kv) * (key * key_bytes + value * CELL_VALUE_BYTES))


def context_length(header: Header, settings: LoadSettings) -> int:
    """Tokens of prompt and answer together: as set, but no more than the model was trained for."""
    return min(settings.context_length, header.number("context_length", settings.context_length) or 1)


def cells(header: Header, settings: LoadSettings) -> int:
    """How many tokens the cache is to hold: what cache_mib pays for, two full requests at least."""
    length = context_length(header, settings)
    paid = settings.cache_mib * _MIB // cell_bytes(header)
    useful = settings.parallel * length  # few samples are as long as they may be; the rest is for earlier prompts
    return max(2 * length, CELLS_MIN, min(paid, useful))


def needed(path: Path, header: Header, settings: LoadSettings) -> int:
    """Bytes of ordinary memory: the weights, the cache, and the outputs of one pass where it is worked out and kept."""
    layers = header.number("block_count")
    kept = 1 - min(settings.gpu_layers, layers + 1) / (layers + 1)  # the output counts as a layer
    weights = int(path.stat().st_size * kept)
    cache = int(cells(header, settings) * cell_bytes(header) * kept)
    outputs = 2 * BATCH_TOKENS * header.vocabulary * OUTPUT_VALUE_BYTES
    return weights + cache + outputs + WORK_BYTES


def check(path: Path, header: Header, settings: LoadSettings) -> None:
    """Raises: ModelTooLarge: it needs more than is free."""
    free = available()
    need = needed(path, header, settings)
    if free is not None and need > free:
        raise ModelTooLarge(str(path), need, free)


def available(root: Path = Path("/")) -> int | None:
    """Bytes that this process could still use without others losing theirs; None where the system does not say.

    Args:
        root: where proc and sys are.
    """
    found = [each for each in (_free_on_machine(root), *_free_in_groups(root)) if each is not None]
    return min(found, default=None)


def _free_on_machine(root: Path) -> int | None:
    for line in _read(root / "proc/meminfo").splitlines():
        name, _, value = line.partition(":")
        if name == "MemAvailable":
            return int(value.split()[0]) * 1024
    return None


def _free_in_groups(root: Path) -> list[int]:
    """What each control group above this process leaves, versions 1 and 2. Source: Linux, cgroup-v2.rst, memory.max."""
    found = []
    for line in _read(root / "proc/self/cgroup").splitlines():
        _, controllers, group = line.split(":", 2)
        if controllers == "":
            top, names = root / "sys/fs/cgroup", ("memory.max", "memory.current", "inactive_file")
        elif "memory" in controllers.split(","):
            top, names = (
                root / "sys/fs/cgroup/memory",
                ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
            )
        else:
            continue
        folder = top / group.lstrip("/")
        for place in (folder, *folder.parents):
            if (free := _free_in(place, *names)) is not None:
                found.append(free)
            if place == top:
                break
    return found


def _free_in(folder: Path, limit: str, usage: str, reclaimable: str) -> int | None:
    largest, used = _read(folder / limit).strip(), _read(folder / usage).strip()
    if not (largest.isdecimal() and used.isdecimal()):  # "max", or no such group
        return None
    cached = 0
    for line in _read(folder / "memory.stat").splitlines():
        name, _, value = line.partition(" ")
        if name == reclaimable:
            cached = int(value)
    return max(0, int(largest) - int(used) + cached)


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""

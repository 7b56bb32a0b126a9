"""A limit on what the process may still take of the machine's memory, so that one request ends it and nothing else."""

import sys
from pathlib import Path

SPARE_BYTES = 2 << 30


def limit_growth(needed: int) -> None:
    """Take as much as now, as much again as the model needs, and SPARE_BYTES; then allocations fail, which ends it.

    That is more than adapters and a context for vectors take. Linux counts what is private and may be written to,
    whether it is used or not: not the weights, which are read from the mapped file. Elsewhere there is no limit.

    Args:
        needed: bytes for the weights, the cache and the outputs.
    Source: getrlimit(2), RLIMIT_DATA; proc_pid_status(5), VmData.
    """
    held = _held_bytes()
    if sys.platform != "linux" or held is None:
        return
    import resource  # not there on Windows

    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    limits = [each for each in (soft, hard) if each != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_DATA, (min([held + needed + SPARE_BYTES, *limits]), hard))


def _held_bytes() -> int | None:
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmData:")), None)

"""Hunts every mutant with everything that may catch it, and prints the table: python -m tests.mutations [NAME ...]"""

import sys
from concurrent.futures import ThreadPoolExecutor
from os import cpu_count

from tests.mutations.all import MUTANTS
from tests.mutations.hunt import hunt


def main(names: list[str]) -> int:
    """The exit code: 1 when something that must be caught was not, 2 when there is no such mutant."""
    if unknown := sorted(set(names) - {mutant.name for mutant in MUTANTS}):
        print(f"no mutant is called {', '.join(unknown)}; without a name all are hunted")
        return 2
    chosen = [mutant for mutant in MUTANTS if not names or mutant.name in names]
    missed = 0
    with ThreadPoolExecutor(cpu_count()) as threads:
        for mutant, caught in zip(chosen, threads.map(hunt, chosen), strict=True):
            print(f"{mutant.name:34} {caught.test or '-'}\n{'':34} {caught.simulated or '-'}", flush=True)
            missed += bool(mutant.tests and not caught.test) + bool(mutant.simulated and not caught.simulated)
    by_tests = sum(bool(mutant.tests) for mutant in chosen)
    by_simulation = sum(mutant.simulated is not None for mutant in chosen)
    print(f"{len(chosen)} mutants: {by_tests} to be caught by tests, {by_simulation} by simulation, {missed} missed")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""A deliberately broken variant of one rule, and how to run code in which it stands in place of the right one."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType, ModuleType

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Simulated:
    """Runs of the simulator of which one must break an invariant."""

    scenario: str
    seeds: int
    """How many are played at most."""
    first: int = 0
    """The first of them. What those before it miss need not be played each time."""
    members: int | None = None
    """How many there are in each run; None as the seed draws it. Small runs are quick."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """`right` stands exactly once in the file; `wrong` takes its place."""

    name: str
    file: str
    right: str
    wrong: str
    breaks: str
    """What no longer holds, in one line."""
    tests: tuple[str, ...] = ()
    """Test files, or single tests, that must fail."""
    simulated: Simulated | None = None
    """None: no run within reach was seen to break an invariant."""

    @property
    def module(self) -> str:
        return self.file.removesuffix(".py").replace("/", ".")

    def problem(self) -> str | None:
        """Why the mutant is no mutant of the code as it is."""
        count = (ROOT / self.file).read_text().count(self.right)
        if count != 1:
            return f"{self.name}: what it replaces stands {count} times in {self.file}, not once"
        if not self.tests and self.simulated is None:
            return f"{self.name}: nothing is named that catches it"
        return None

    def install(self) -> None:
        """From now on this process imports the broken module; nothing of the project may have been imported before."""
        assert not any(name.split(".")[0] in ("coordinator", "node") for name in sys.modules), "imported too early"
        sys.meta_path.insert(0, _Finder(self))


class _Finder(MetaPathFinder):
    def __init__(self, mutant: Mutant) -> None:
        self._mutant = mutant

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != self._mutant.module:
            return None
        file = str(ROOT / self._mutant.file)
        return spec_from_file_location(fullname, file, loader=_Loader(fullname, file, self._mutant))


class _Loader(SourceFileLoader):
    """Never reads or writes compiled files: they hold the right code."""

    def __init__(self, fullname: str, path: str, mutant: Mutant) -> None:
        super().__init__(fullname, path)
        self._mutant = mutant

    def get_code(self, fullname: str) -> CodeType:
        source = Path(self.path).read_text().replace(self._mutant.right, self._mutant.wrong)
        return compile(source, self.path, "exec")

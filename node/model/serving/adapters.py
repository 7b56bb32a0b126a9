"""The adapters that requests may use, each kept until the last request that uses it is done."""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from node.model.engine import AdapterInfo
from node.model.errors import AdapterUnknown
from node.model.llamacpp.adapters import Adapter
from node.model.llamacpp.model import Model
from node.model.requests import AdapterUse

Uses = tuple[tuple[Adapter, float], ...]
"""Adapters with their scales, by digest: what is equal may share a forward pass and a cached prompt."""


class Adapters:
    """Args: let_go: makes llama.cpp's contexts use no adapter, before one is freed."""

    def __init__(self, model: Model, let_go: Callable[[], None]) -> None:
        self._model = model
        self._let_go = let_go
        self._known: dict[bytes, Adapter] = {}
        self._dropped: list[Adapter] = []
        self._users: Counter[Adapter] = Counter()

    def add(self, path: Path) -> AdapterInfo:
        """Raises ModelFileMissing and AdapterInvalid."""
        adapter = Adapter(self._model, path)
        if adapter.digest in self._known:
            adapter.close()
        else:
            self._known[adapter.digest] = adapter
        return self._known[adapter.digest].info

    def drop(self, digest: bytes) -> None:
        """One that is not there is no error."""
        adapter = self._known.pop(digest, None)
        if adapter is not None:
            self._dropped.append(adapter)
            self._free()

    def take(self, uses: Sequence[AdapterUse]) -> Uses:
        """Until `give_back`. Raises AdapterUnknown."""
        found = []
        for use in sorted(uses, key=lambda use: use.digest):
            adapter = self._known.get(use.digest)
            if adapter is None:
                raise AdapterUnknown(use.digest.hex())
            if use.scale:
                found.append((adapter, use.scale))
        self._users.update(adapter for adapter, _ in found)
        return tuple(found)

    def give_back(self, uses: Uses) -> None:
        self._users.subtract(adapter for adapter, _ in uses)
        if self._dropped:
            self._free()

    def _free(self) -> None:
        unused = [adapter for adapter in self._dropped if self._users[adapter] <= 0]
        if unused:
            self._let_go()
        for adapter in unused:
            self._dropped.remove(adapter)
            del self._users[adapter]
            adapter.close()

    def close(self) -> None:
        self._let_go()
        for adapter in (*self._known.values(), *self._dropped):
            adapter.close()

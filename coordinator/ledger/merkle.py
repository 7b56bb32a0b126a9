"""A hash tree over the items of an agenda, so that one item can be proven without showing the others.

Source: RFC 9162 (Certificate Transparency 2.0), section 2.1: leaves and inner nodes are hashed with different prefixes,
so that neither can pass for the other.
"""

from collections.abc import Sequence
from hashlib import sha256

from coordinator.signed import Digest

EMPTY: Digest = sha256(b"").digest()


def leaf(data: bytes) -> Digest:
    return sha256(b"\x00" + data).digest()


def root(leaves: Sequence[Digest]) -> Digest:
    if not leaves:
        return EMPTY
    if len(leaves) == 1:
        return leaves[0]
    split = _split(len(leaves))
    return _node(root(leaves[:split]), root(leaves[split:]))


def path(leaves: Sequence[Digest], index: int) -> tuple[Digest, ...]:
    """The siblings from the leaf up to the root."""
    if len(leaves) == 1:
        return ()
    split = _split(len(leaves))
    if index < split:
        return (*path(leaves[:split], index), root(leaves[split:]))
    return (*path(leaves[split:], index - split), root(leaves[:split]))


def root_of_path(start: Digest, index: int, count: int, siblings: Sequence[Digest]) -> Digest | None:
    """The root that this path leads to from leaf `index` of `count`; None when the path has not the right length."""
    if not 0 <= index < count:
        return None
    if count == 1:
        return start if not siblings else None
    if not siblings:
        return None
    split = _split(count)
    if index < split:
        left = root_of_path(start, index, split, siblings[:-1])
        return None if left is None else _node(left, siblings[-1])
    right = root_of_path(start, index - split, count - split, siblings[:-1])
    return None if right is None else _node(siblings[-1], right)


def _node(left: Digest, right: Digest) -> Digest:
    return sha256(b"\x01" + left + right).digest()


def _split(count: int) -> int:
    """The largest power of two below `count`."""
    return 1 << (count - 1).bit_length() - 1

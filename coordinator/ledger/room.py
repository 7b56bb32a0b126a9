"""How much fits into one agenda, and who goes first when not all does: nobody can keep another's question out."""

from collections.abc import Iterable
from hashlib import sha256

from coordinator.ledger.agenda import ITEMS_MAX, Item, merge
from coordinator.messages import AGENDA_SIZE_MAX
from coordinator.records import ANSWER_LENGTH_MAX, Question
from coordinator.signed import NODE_ID_SIZE, SIGNATURE_SIZE, Digest, NodeId, Signed

ITEM_SIZE_MAX = AGENDA_SIZE_MAX - 1_024
"""Bytes of one question with all its records: it fits into an agenda of its own, with the agenda's header."""
QUESTION_SIZE_MAX = 12 * 1024
"""Of a question's record and the lists' lengths. The longest text takes 8,000 bytes, sixteen options 3,264."""

_RECORD_SIZE = 12 + NODE_ID_SIZE + SIGNATURE_SIZE  # three lengths, author, signature
_PROPOSAL_SIZE = _RECORD_SIZE + 116  # without its counts
_PREFERENCE_SIZE = _RECORD_SIZE + 68


def opinion_size_max(samples: int) -> int:
    """Bytes that one honest member's proposal and preference take at most: as many different answers as samples."""
    return _PROPOSAL_SIZE + _PREFERENCE_SIZE + 2 * samples * (8 + ANSWER_LENGTH_MAX)


def members_max(samples: int) -> int:
    """How many honest members' opinions on one question are sure to fit into an item."""
    return (ITEM_SIZE_MAX - QUESTION_SIZE_MAX) // opinion_size_max(samples)


def fitting(items: Iterable[Item], previous: Digest, taken_bytes: int = 0) -> tuple[Item, ...]:
    """What of these goes on one agenda: every asker's oldest question first, then everybody's second, and so on.

    Which asker is first differs from slot to slot, so that one that floods delays the others and never keeps them out.
    The result depends on nothing but the set of records, `previous`, the digest of the entry before, and how many bytes
    are taken by what goes first. The largest question may then have to wait for the next agenda.
    """
    by_asker: dict[NodeId, list[tuple[int, Digest, Item]]] = {}
    for item in merge(items):
        asked_ms = Question.decode(item.question.body).asked_ms
        by_asker.setdefault(item.question.author, []).append((asked_ms, item.id, item))
    turns: list[tuple[int, Digest, Item]] = []
    for asker, asked in by_asker.items():
        place = sha256(previous + asker).digest()
        ordered = sorted(asked, key=lambda entry: entry[:2])
        turns += [(turn, place, item) for turn, (_, _, item) in enumerate(ordered)]
    taken: list[Item] = []
    room = ITEM_SIZE_MAX - taken_bytes
    for _, _, item in sorted(turns, key=lambda turn: turn[:2]):
        cut = trimmed(item)
        size = len(cut.encode()) + 4
        if size <= room or not (taken or taken_bytes):
            taken.append(cut)
            room -= size
        if len(taken) == ITEMS_MAX:
            break
    return merge(taken)


def trimmed(item: Item) -> Item:
    """The item without the members that wrote most, as far as it is larger than an item may be.

    A charter lets only as many members in as fit with one proposal and one preference each. So only who signed more
    than that, which is a contradiction and not counted anyway, is ever left out before an honest member is.
    """
    records = (*item.proposals, *item.preferences)
    sizes: dict[NodeId, int] = {}
    for record in records:
        sizes[record.author] = sizes.get(record.author, 0) + _size(record)
    excess = QUESTION_SIZE_MAX + sum(sizes.values()) - ITEM_SIZE_MAX
    left_out: set[NodeId] = set()
    for author in sorted(sizes, key=lambda author: (-sizes[author], author)):
        if excess <= 0:
            break
        left_out.add(author)
        excess -= sizes[author]
    if not left_out:
        return item
    proposals = tuple(record for record in item.proposals if record.author not in left_out)
    return Item(item.question, proposals, tuple(one for one in item.preferences if one.author not in left_out))


def _size(record: Signed) -> int:
    return 12 + len(record.author) + len(record.body) + len(record.signature)

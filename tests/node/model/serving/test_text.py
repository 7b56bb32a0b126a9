"""A sample's text: stop texts wherever tokens begin, and pieces that together are the whole."""

from hypothesis import given
from hypothesis import strategies as st

from node.model.serving.text import Text

LETTERS = st.sampled_from("ab\né😀")
CUTS = st.lists(st.integers(1, 3), min_size=1, max_size=30)


def pieces_of(data: bytes, cuts: list[int]) -> list[bytes]:
    pieces: list[bytes] = []
    at = 0
    while at < len(data):
        size = cuts[len(pieces) % len(cuts)]
        pieces.append(data[at : at + size])
        at += size
    return pieces


@given(st.text(LETTERS, max_size=20), CUTS, st.lists(st.text(LETTERS, min_size=1, max_size=3), max_size=3))
def test_a_text_ends_before_its_first_stop(text: str, cuts: list[int], stops: list[str]) -> None:
    """And says so with the very piece that completes it, so that nothing more is generated."""
    encoded = tuple(stop.encode() for stop in stops)
    written, seen, found = Text(encoded), b"", False
    for piece in pieces_of(text.encode(), cuts):
        seen += piece
        found = written.add(piece)
        assert found == any(stop in seen for stop in encoded)
        if found:
            break
    ends = [seen.index(stop) for stop in encoded if stop in seen]
    assert written.whole() == seen[: min(ends, default=len(seen))].decode("utf-8", "replace")


@given(st.binary(max_size=30) | st.text(max_size=20).map(str.encode), CUTS, st.lists(st.binary(min_size=1, max_size=3)))
def test_the_pieces_are_the_whole(data: bytes, cuts: list[int], stops: list[bytes]) -> None:
    """Whoever reads along must see what the final answer says: never half a character, never a part of a stop."""
    written, news = Text(tuple(stops)), ""
    for piece in pieces_of(data, cuts):
        found = written.add(piece)
        news += written.news(last=found)
        if found:
            break
    news += written.news(last=True)
    assert news == written.whole()


def test_what_may_become_a_stop_is_held_back() -> None:
    written = Text((b"abc", b"b\n"))
    shown = []
    for letter in b"xaxabxabab\n":
        written.add(bytes([letter]))
        shown.append(written.news())
    assert shown == ["x", "", "ax", "", "", "abx", "", "", "ab", "", ""]
    assert written.whole() == "xaxabxaba"
    assert written.news(last=True) == "a"


def test_half_a_character_is_held_back() -> None:
    written = Text()
    shown = []
    for byte in "é😀".encode():
        written.add(bytes([byte]))
        shown.append(written.news())
    assert shown == ["", "é", "", "", "", "😀"]
    written.add(b"\xf0\x9f")
    assert written.news() == ""
    assert written.news(last=True) == "\ufffd"

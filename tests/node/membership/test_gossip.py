"""The queue of news: what goes first, how often, and what is dropped."""

import pytest

from coordinator.signed import Kind, Signed
from node.membership.gossip import GossipQueue, retransmit_max
from node.membership.messages import GOSSIP_MAX
from node.membership.settings import MembershipSettings

SETTINGS = MembershipSettings(gossip_to_all_max=0)


def item(author: bytes, size: int = 10, kind: Kind = Kind.MEMBER) -> Signed:
    return Signed(kind, author, bytes(size), b"s" * 64)


def queue(**changes: int) -> GossipQueue:
    return GossipQueue(MembershipSettings(gossip_to_all_max=0, **changes), own=b"a")


@pytest.mark.parametrize(
    ("n", "times"),
    [
        pytest.param(2, 8, id="floor of a small group"),
        pytest.param(8, 8, id="the last small group"),
        pytest.param(9, 12, id="floor: 4 would be too few under loss"),
        pytest.param(999, 12, id="4 * log10(1000)"),
        pytest.param(1_000, 16, id="4 * ceil(log10(1001))"),
    ],
)
def test_how_often_an_item_is_sent(n: int, times: int) -> None:
    assert retransmit_max(SETTINGS, n) == times
    news = queue()
    news.put(b"b", item(b"b"))
    assert sum(len(news.take(n, b"z")) for _ in range(100)) == times
    assert len(news) == 0


def test_a_group_that_is_told_as_a_whole_is_told_thrice() -> None:
    """Once at once, and twice again: fifteen others times three rounds."""
    assert retransmit_max(MembershipSettings.lan(), 16) == 45
    assert retransmit_max(MembershipSettings.lan(), 17) == 12


def test_order() -> None:
    """News about us, then the least told, then the larger, then the newer."""
    news = queue()
    for author, size in ((b"told", 90), (b"small", 10), (b"old", 50), (b"new", 50), (b"a", 10)):
        news.put(author, item(author, size))
        if author == b"told":
            news.take(5, b"z")
    assert [taken.author for taken in news.take(5, b"z")] == [b"a", b"new", b"old", b"small", b"told"]


def test_what_concerns_the_receiver_goes_first_and_once() -> None:
    news = queue()
    for author in (b"b", b"c"):
        news.put(author, item(author))
    assert [taken.author for taken in news.take(5, b"z", [item(b"c"), item(b"x")])] == [b"c", b"x", b"b"]


def test_a_newer_record_makes_older_news_of_its_subject_obsolete() -> None:
    """An accusation that was refuted must not be passed on any more."""
    news = queue()
    news.put(b"b", item(b"b"))
    news.put(b"b", item(b"c", kind=Kind.SUSPICION))
    news.put(b"d", item(b"c", kind=Kind.SUSPICION))
    news.replace(b"b", item(b"b", 11))
    assert sorted((taken.author, taken.kind.value) for taken in news.take(5, b"z")) == [
        (b"b", "member"),
        (b"c", "suspicion"),
    ]


def test_nobody_is_told_what_it_said_itself() -> None:
    """It still counts as told, or an item that only its author could get would be kept for ever."""
    news = queue()
    news.put(b"b", item(b"b"))
    assert [news.take(2, b"b") for _ in range(8)] == [()] * 8
    assert len(news) == 0


def test_a_message_is_bounded_in_bytes_and_items() -> None:
    news = queue(gossip_bytes_max=1_024)
    for count in range(200):
        news.put(b"%d" % count, item(b"%d" % count, 400))
    assert len(news.take(5, b"z")) == 2
    news = queue()
    for count in range(200):
        news.put(b"%d" % count, item(b"%d" % count, 10))
    assert len(news.take(5, b"z")) == GOSSIP_MAX


def test_an_item_too_large_for_what_is_left_lets_smaller_ones_pass() -> None:
    news = queue(gossip_bytes_max=1_024)
    for author, size in ((b"b", 800), (b"c", 700), (b"d", 20)):
        news.put(author, item(author, size))
    assert [taken.author for taken in news.take(5, b"z")] == [b"b", b"d"]


def test_it_is_bounded_and_never_drops_news_about_us() -> None:
    """A flood of accusations must not push out our refutation."""
    news = queue(queue_max=16)
    news.put(b"a", item(b"a"))
    for count in range(100):
        news.put(b"%d" % count, item(b"%d" % count))
    assert len(news) == 16
    assert news.dropped == 85
    authors = [taken.author for taken in news.take(5, b"z")]
    assert authors[0] == b"a"
    assert set(authors[1:]) == {b"%d" % count for count in range(85, 100)}, "the oldest were dropped"

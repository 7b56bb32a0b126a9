"""Downloads from a hub that drops, lies, hangs and changes its mind: a whole, true file or a clear refusal."""

from pathlib import Path

import pytest

from node.errors import Exit
from node.model.hub.download import Progress
from node.model.hub.errors import HubUnreachable
from tests.node.model.gguf_files import write_model
from tests.node.model.hub.fetching import Fetch
from tests.node.model.hub.hub_server import (
    COMMIT,
    NAME,
    FakeHub,
    Fault,
    drips,
    drops_after,
    hangs,
    hangs_after,
    sends_all_of_it,
    sends_another_part,
    sends_chunked,
    status,
)


def test_a_file_is_fetched_once(fetch: Fetch, hub: FakeHub, content: bytes) -> None:
    place = fetch()
    assert place == fetch.cache / "ada" / "tiny" / f"main-{COMMIT}" / "q4" / "tiny.gguf"
    assert place.read_bytes() == content
    assert fetch.partials() == []
    last = fetch.heard.progress[-1]
    assert (last.done, last.total) == (len(content), len(content))
    assert last.rate > 0
    hub.asked.clear()
    assert fetch() == place
    assert [(asked.server, asked.method) for asked in hub.asked] == [("hub", "HEAD")]


def test_the_bytes_are_asked_for_by_commit(fetch: Fetch, hub: FakeHub) -> None:
    """Otherwise the file could change between the two questions."""
    fetch(NAME + "@refs/pr/1")
    assert [asked.path for asked in hub.of("hub", "HEAD")] == ["/ada/tiny/resolve/refs%2Fpr%2F1/q4/tiny.gguf"]
    assert [asked.path for asked in hub.of("hub")] == [f"/ada/tiny/resolve/{COMMIT}/q4/tiny.gguf"]


def test_a_file_named_by_its_commit_needs_no_network_twice(fetch: Fetch, hub: FakeHub) -> None:
    place = fetch(f"{NAME}@{COMMIT}")
    hub.asked.clear()
    assert fetch(f"{NAME}@{COMMIT}") == place
    assert hub.asked == []


def test_the_token_is_shown_to_the_hub_alone(fetch: Fetch, hub: FakeHub) -> None:
    fetch()
    assert {asked.headers.get("authorization") for asked in hub.asked if asked.server == "hub"} == {"Bearer hf_secret"}
    assert len(hub.of("storage")) == 1
    assert all("authorization" not in asked.headers for asked in hub.of("storage"))


@pytest.mark.parametrize(
    ("faults", "ranges"),
    [
        pytest.param([drops_after(5_000)], [None, "bytes=5000-"], id="dropped in the middle"),
        pytest.param([drops_after(5_000)] * 3, [None, "bytes=5000-", "bytes=10000-", "bytes=15000-"], id="three times"),
        pytest.param([hangs], [None, None], id="silent before the answer"),
        pytest.param([hangs_after(5_000)], [None, "bytes=5000-"], id="silent in the middle"),
        pytest.param([drips], [None, "bytes={n}-"], id="a byte now and then"),
        pytest.param([status(503)], [None, None], id="busy"),
        pytest.param([status(403)], [None, None], id="an address that holds no longer"),
        pytest.param([drops_after(5_000), sends_all_of_it], [None, "bytes=5000-"], id="knows no ranges"),
        pytest.param(
            [drops_after(5_000), sends_another_part], [None, "bytes=5000-", "bytes=5000-"], id="sends another part"
        ),
        pytest.param([drops_after(5_000), status(416)], [None, "bytes=5000-", "bytes=5000-"], id="refuses the range"),
        pytest.param([sends_chunked(b"GGUF")], [None, "bytes=4-"], id="ends early, without a length"),
        pytest.param([status(200, content_encoding="gzip")], [None, None], id="sends it packed"),
        pytest.param([status(200, content_length="7")], [None, None], id="announces another length"),
    ],
)
def test_what_goes_wrong_on_the_way_is_tried_again(
    fetch: Fetch, hub: FakeHub, content: bytes, faults: list[Fault], ranges: list[str | None]
) -> None:
    hub.storage_faults.extend(faults)
    assert fetch().read_bytes() == content
    asked = [asked.headers.get("range") for asked in hub.of("storage")]
    if ranges[-1] == "bytes={n}-":  # how many bytes dripped is a matter of time
        assert asked[0] is None
        assert 0 < int(str(asked[1]).removeprefix("bytes=").removesuffix("-")) < 1_000
    else:
        assert asked == ranges
    assert len(fetch.slept) == len(fetch.heard.waited) >= len(ranges) - 1
    assert fetch.partials() == []


def test_waits_grow_and_end(fetch: Fetch, hub: FakeHub) -> None:
    hub.storage_faults.extend([status(500)] * 20)
    with pytest.raises(HubUnreachable, match=r"status 500.*goes on"):
        fetch()
    assert fetch.slept == [1, 2, 4, 8, 16]
    assert len(hub.of("storage")) == 6


def test_a_hub_that_is_not_there(fetch: Fetch, hub: FakeHub) -> None:
    fetch.environment["HF_ENDPOINT"] = "http://127.0.0.1:9"
    with pytest.raises(HubUnreachable, match=r"127\.0\.0\.1") as caught:
        fetch()
    assert caught.value.exit_code is Exit.MODEL_NOT_FETCHED
    assert fetch.slept == [1, 2]


def test_a_busy_hub_is_waited_for_as_long_as_it_asks(fetch: Fetch, hub: FakeHub, content: bytes) -> None:
    hub.hub_faults.append(status(429, retry_after="7"))
    assert fetch().read_bytes() == content
    assert fetch.slept == [7]


def test_a_hub_that_asks_for_too_long_is_left_alone(fetch: Fetch, hub: FakeHub) -> None:
    hub.hub_faults.append(status(429, retry_after="3600"))
    with pytest.raises(HubUnreachable, match="in 3600 s"):
        fetch()
    assert fetch.slept == []


def test_an_interrupted_download_goes_on(
    fetch: Fetch, hub: FakeHub, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(progress: Progress) -> None:
        if progress.done >= 5_000:
            raise KeyboardInterrupt

    hub.storage_faults.append(drops_after(5_000))
    monkeypatch.setattr(fetch.heard, "progressed", interrupt)
    with pytest.raises(KeyboardInterrupt):
        fetch()
    (kept,) = fetch.partials()
    assert kept.read_bytes() == content[:5_000]
    monkeypatch.undo()
    assert fetch().read_bytes() == content
    assert hub.of("storage")[-1].headers["range"] == "bytes=5000-"


def test_a_whole_partial_file_is_not_asked_for_again(fetch: Fetch, hub: FakeHub, content: bytes) -> None:
    """As after a crash between the last byte and the new name."""
    fetch.partial(content).parent.mkdir(parents=True)
    fetch.partial(content).write_bytes(content)
    assert fetch().read_bytes() == content
    assert hub.of("storage") == []


def test_a_file_that_changed_on_the_hub_starts_over(fetch: Fetch, hub: FakeHub, content: bytes, tmp_path: Path) -> None:
    hub.storage_faults.extend([drops_after(5_000), *[status(500)] * 9])
    with pytest.raises(HubUnreachable):
        fetch()
    assert len(fetch.partials()) == 1
    hub.content = write_model(tmp_path / "new.gguf", seed=8).read_bytes()
    hub.commit = COMMIT[::-1]
    hub.storage_faults.clear()
    hub.asked.clear()
    place = fetch()
    assert place.read_bytes() == hub.content != content
    assert "range" not in hub.of("storage")[0].headers
    assert fetch.partials() == []


def test_a_file_that_did_not_change_with_its_repository_is_not_fetched_again(
    fetch: Fetch, hub: FakeHub, content: bytes
) -> None:
    first = fetch()
    hub.commit = COMMIT[::-1]
    second = fetch()
    assert second != first
    assert second.read_bytes() == content
    assert len(hub.of("storage")) == 1

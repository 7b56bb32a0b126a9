"""Downloads that cannot come to a good end: each is refused clearly, and leaves nothing that looks like a model."""

import hashlib
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from node.errors import Exit
from node.model.hub.errors import HubError, HubFileInvalid, HubForbidden, HubNoRoom, HubUnreachable
from node.model.hub.partial import locked
from tests.node.model.hub.fetching import QUICK, Fetch
from tests.node.model.hub.hub_server import COMMIT, FakeHub, Fault, sends_all_of_it, sends_chunked, status


@pytest.mark.parametrize("seen", [5_000, None], ids=["the part that is there", "the whole"])
def test_another_digest_is_refused_and_deleted(fetch: Fetch, hub: FakeHub, content: bytes, seen: int | None) -> None:
    damaged = bytearray(content)
    damaged[-1] ^= 1
    if seen is None:
        hub.storage_faults.append(lambda handler: handler.answer(200, body=bytes(damaged)))
    else:
        fetch.partial(content).parent.mkdir(parents=True)
        fetch.partial(content).write_bytes(content[: seen - 1] + b"?")
    with pytest.raises(HubFileInvalid, match=r"digest.*deleted") as caught:
        fetch()
    assert caught.value.exit_code is Exit.MODEL_INVALID
    assert [path for path in fetch.cache.rglob("*") if path.is_file()] == []


def test_a_small_file_is_checked_by_its_git_name(fetch: Fetch, hub: FakeHub, content: bytes) -> None:
    name = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
    facts = {"x-repo-commit": COMMIT, "etag": f'"{name}"', "content-length": str(len(content))}
    hub.hub_faults.extend([lambda handler: handler.answer(200, facts), sends_all_of_it])
    assert fetch().read_bytes() == content
    assert hub.of("storage") == []


def test_more_bytes_than_announced(fetch: Fetch, hub: FakeHub, content: bytes) -> None:
    hub.storage_faults.append(sends_chunked(content + b"x"))
    with pytest.raises(HubFileInvalid, match="more bytes"):
        fetch()
    assert fetch.partials() == []


def test_what_is_no_model_is_noticed_at_its_first_bytes(fetch: Fetch, hub: FakeHub) -> None:
    hub.content = b"PK\3\4" + 400_000 * b"x"
    with pytest.raises(HubFileInvalid, match="not GGUF"):
        fetch()
    assert fetch.partials() == []


def test_a_model_that_cannot_be_run_is_refused(fetch: Fetch, hub: FakeHub, content: bytes) -> None:
    hub.content = content[:-1_000]
    with pytest.raises(HubFileInvalid, match="cut off"):
        fetch()
    assert [path for path in fetch.cache.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(
    ("answer", "kind", "code", "said"),
    [
        (status(401, x_error_code="RepoNotFound"), HubForbidden, Exit.MODEL_FORBIDDEN, "HF_TOKEN is valid"),
        (status(403, x_error_code="GatedRepo"), HubForbidden, Exit.MODEL_FORBIDDEN, "terms accepted"),
        (status(404, x_error_code="EntryNotFound"), HubError, Exit.MODEL_MISSING, "no file 'q4/tiny.gguf'"),
        (status(404, x_error_code="RevisionNotFound"), HubError, Exit.MODEL_MISSING, "no revision 'main'"),
        (status(404), HubError, Exit.MODEL_MISSING, "no such file"),
        (status(418), HubUnreachable, Exit.MODEL_NOT_FETCHED, "418"),
        (status(300), HubUnreachable, Exit.MODEL_NOT_FETCHED, "status 300"),
        (status(302), HubUnreachable, Exit.MODEL_NOT_FETCHED, "no encrypted address"),
        (status(302, location="http://192.0.2.1/x"), HubUnreachable, Exit.MODEL_NOT_FETCHED, "no encrypted address"),
        (status(302, location="file:///etc/passwd"), HubUnreachable, Exit.MODEL_NOT_FETCHED, "no encrypted address"),
        (status(200), HubFileInvalid, Exit.MODEL_INVALID, "does not say"),
    ],
)
def test_refusals_are_said_and_not_repeated(
    fetch: Fetch, hub: FakeHub, answer: Fault, kind: type[HubError], code: Exit, said: str
) -> None:
    hub.hub_faults.append(answer)
    with pytest.raises(kind) as caught:
        fetch()
    assert caught.value.exit_code is code
    assert said in str(caught.value)
    assert "hf_secret" not in str(caught.value)
    assert len(hub.asked) == 1


@pytest.mark.parametrize(
    "facts",
    [
        {"x-repo-commit": None},
        {"x-repo-commit": "../../../../etc"},
        {"x-linked-etag": '"abc"'},
        {"x-linked-size": "0"},
        {"x-linked-size": "-1"},
        {"x-linked-size": "many"},
        {"x-linked-size": "9" * 30},
    ],
)
def test_facts_that_cannot_be(fetch: Fetch, hub: FakeHub, facts: dict[str, str | None]) -> None:
    """The commit becomes a folder's name, the size a promise of room."""
    hub.facts = facts
    with pytest.raises(HubFileInvalid):
        fetch()
    assert [path for path in fetch.cache.rglob("*") if path.is_file()] == []


def test_redirects_are_followed_but_not_for_ever(fetch: Fetch, hub: FakeHub, content: bytes) -> None:
    """A renamed repository sends on to its new name, on the hub itself."""
    renamed = status(307, location=f"/ada/tiny/resolve/{COMMIT}/q4/tiny.gguf")
    hub.hub_faults.append(renamed)
    assert fetch().read_bytes() == content
    hub.hub_faults.extend([renamed] * 30)
    hub.asked.clear()
    with pytest.raises(HubUnreachable, match="without end"):
        fetch()
    assert len(hub.asked) == 6


def test_no_room(fetch: Fetch, hub: FakeHub) -> None:
    with pytest.raises(HubNoRoom, match="XDG_CACHE_HOME") as caught:
        fetch(settings=replace(QUICK, free_bytes_min=1 << 60))
    assert caught.value.exit_code is Exit.STORE_FULL
    assert hub.of("storage") == []


def test_a_cache_that_cannot_be_written(fetch: Fetch, tmp_path: Path) -> None:
    (tmp_path / "moot").write_text("a file")
    with pytest.raises(HubNoRoom, match="cannot be written"):
        fetch()


def test_two_processes_do_not_write_one_file(fetch: Fetch, hub: FakeHub, content: bytes) -> None:
    path = fetch.partial(content)
    path.parent.mkdir(parents=True)
    with locked(path), pytest.raises(HubUnreachable, match="another process"):
        fetch()
    assert hub.of("storage") == []
    assert fetch().read_bytes() == content


def test_many_at_once_give_one_whole_file(fetch: Fetch, content: bytes) -> None:
    """Whoever comes second is refused or finds the whole file; nobody sees half of one."""
    ends: list[Path | HubError] = []

    def run() -> None:
        try:
            ends.append(fetch())
        except HubError as error:
            ends.append(error)

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    places = {end for end in ends if isinstance(end, Path)}
    assert len(ends) == 8
    assert [place.read_bytes() == content for place in places] == [True]
    assert all(isinstance(end, Path | HubUnreachable) for end in ends)
    assert fetch.partials() == []

"""One moot for all tests that leave it as they found it: starting five nodes takes longer than most of what they do."""

from collections.abc import Iterator

import pytest

from node.errors import Exit
from tests.integration.moots import LocalMoot, check_ledgers


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalMoot]:
    """Whatever the tests did to it, at the end all nodes stop in good order and hold the same ledger."""
    with LocalMoot(tmp_path_factory.mktemp("moot")) as moot:
        moot.found("integration")
        yield moot
        moot.start_all()
        assert [moot.end(name) for name in moot.names] == [Exit.OK] * len(moot.names)
        check_ledgers(moot)


@pytest.fixture
def five(shared: LocalMoot) -> LocalMoot:
    """The shared moot, whole: five nodes that see each other."""
    shared.start_all()
    return shared

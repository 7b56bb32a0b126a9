"""Options of the whole suite."""

from collections.abc import Iterator

import hypothesis
import pytest

# A loaded machine is slow, not wrong.
hypothesis.settings.register_profile("moot", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("moot")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--rewrite",
        action="store_true",
        help="record the scripts in testdata anew; commit a change only if every line of it is understood",
    )


@pytest.fixture
def port() -> Iterator[int]:
    """A free port of the loopback, for what does not listen there all the time."""
    from node.lab.demo_federation import kept_ports  # Here: most tests start quicker without it.

    with kept_ports(1) as [port]:
        yield port


@pytest.fixture
def rewrite(request: pytest.FixtureRequest) -> bool:
    """Whether scripts are to be recorded instead of compared."""
    return bool(request.config.getoption("--rewrite"))

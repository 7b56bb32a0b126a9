"""Options of the whole suite."""

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
def rewrite(request: pytest.FixtureRequest) -> bool:
    """Whether scripts are to be recorded instead of compared."""
    return bool(request.config.getoption("--rewrite"))

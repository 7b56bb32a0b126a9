"""Options of the whole suite."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--rewrite",
        action="store_true",
        help="record the output of the scripts in testdata anew; commit a change only if every line of it is understood",
    )


@pytest.fixture
def rewrite(request: pytest.FixtureRequest) -> bool:
    """Whether scripts are to be recorded instead of compared."""
    return bool(request.config.getoption("--rewrite"))

"""Exit codes: what scripts rely on."""

import re

import node.errors
from node.errors import ConfigError, Exit, NodeError


def test_codes_do_not_change() -> None:
    """A script that checks for one of these must work with the next version too; only new ones may be added."""
    known = "0 OK, 1 FAILED, 2 USAGE, 3 NO_QUORUM, 4 NODE_DOWN, 5 NOT_FOUND, 6 STILL_OPEN, 10 NOT_A_CERTIFICATE, "
    known += "11 WRONG_MOOT, 12 BAD_SIGNATURE, 13 PROOF_INCOMPLETE, 14 WRONG_PATH, 15 WRONG_ITEM, 16 WRONG_SUMMARY, "
    known += (
        "20 SETTINGS, 21 NO_HOME, 22 HOME_IN_USE, 23 PORT_IN_USE, 24 IDENTITY, 25 MODEL_MISSING, 26 MODEL_INVALID, "
    )
    known += "27 STORE_FULL, 28 STORE_CORRUPT, 29 GENESIS, 30 HOME_EXISTS, 31 NOT_LOOPBACK, 32 QUESTION_REFUSED, "
    known += "33 IDENTITY_IN_USE, 34 ROSTER_REFUSED, 35 MODEL_NOT_FETCHED, 36 MODEL_FORBIDDEN, 37 MODEL_SERVER, "
    known += "40 QUORUMS_SPLIT, 41 QUORUMS_UNKNOWN, 42 QUORUMS_NONE, 43 NOT_A_NETWORK, "
    known += "50 BROKEN, 51 NOT_A_PLAN, "
    known += "60 MODEL_TOO_LARGE, 61 MODEL_UNSOUND, 62 MODEL_OTHER, 63 MODEL_UNABLE, 64 MODEL_DIED, 65 MODEL_LATE, "
    known += "66 MODEL_LIBRARY, 67 ADAPTER, 68 GRAMMAR, 69 PROMPT_TOO_LONG, 130 INTERRUPTED"
    assert ", ".join(f"{code.value} {code.name}" for code in Exit) == known


def test_every_code_means_something_of_its_own() -> None:
    meanings = [code.meaning for code in Exit]
    assert all(meanings)
    assert len(set(meanings)) == len(meanings) == len(Exit.__members__)


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    drawn = dict(re.findall(r"^(?:├── |└── )?(\w+) +(\d+)(?:  \S+)?$", node.errors.__doc__ or "", re.MULTILINE))
    actual = {
        name: str(int(kind.exit_code))
        for name, kind in vars(node.errors).items()
        if isinstance(kind, type) and issubclass(kind, NodeError)
    }
    assert drawn == actual


def test_a_config_error_tells_every_problem() -> None:
    error = ConfigError("node.toml", ["one", "two"])
    assert str(error) == "node.toml: 2 problem(s)\n  - one\n  - two"
    assert error.exit_code is Exit.SETTINGS

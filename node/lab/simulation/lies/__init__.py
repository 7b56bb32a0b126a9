"""Members that do not follow the protocol: each kind is one way of lying, with no more than its own keys."""

from node.lab.simulation.lies.moot import MOOT_LIES, moot_liar
from node.lab.simulation.lies.statements import STATEMENT_LIES, statement_liar

__all__ = ["MOOT_LIES", "STATEMENT_LIES", "moot_liar", "statement_liar"]

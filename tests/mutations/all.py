"""Every mutant."""

from tests.mutations.ballots import BALLOTS
from tests.mutations.batching import BATCHING
from tests.mutations.deciding import DECIDING
from tests.mutations.ledgers import LEDGERS
from tests.mutations.membership import MEMBERSHIP
from tests.mutations.memory import MEMORY
from tests.mutations.nomination import NOMINATION
from tests.mutations.quorums import QUORUMS
from tests.mutations.says import SAYS
from tests.mutations.suspicions import SUSPICIONS

MUTANTS = QUORUMS + SAYS + BALLOTS + NOMINATION + MEMORY + SUSPICIONS + MEMBERSHIP + DECIDING + LEDGERS + BATCHING

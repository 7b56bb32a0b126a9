"""Errors meant for people, and the exit codes that scripts see.

NodeError                    1
├── ConfigError             20  node/settings.py
├── HomeMissing             21  node/home.py
├── HomeInUse               22  node/home.py
├── HomeExists              30  node/home.py
├── StoreFull               27  node/store.py
├── StoreCorrupt            28  node/store.py
├── GenesisInvalid          29
├── IdentityInUse           33  node/shell.py
├── QuestionRefused         32
├── RosterRefused           34
└── QuestionNotFound         5

Whoever else has an error for people derives it from NodeError, beside the code that raises it, with a code from Exit.
The message says what is wrong and what to do; it is printed as it stands, without a traceback.
"""

from enum import IntEnum


class Exit(IntEnum):
    """What a command's exit code means. Codes are never used again for something else: scripts rely on them."""

    meaning: str

    OK = 0, "done; an answer was decided"
    FAILED = 1, "something unexpected; the message or the log says what"
    USAGE = 2, "the command line is wrong"
    NO_QUORUM = 3, "the question ended without an answer: too few members answered"
    NODE_DOWN = 4, "no node is running at this home"
    NOT_FOUND = 5, "there is no such question, or no single one"
    STILL_OPEN = 6, "the wait is over and the question is not decided yet"
    NOT_A_CERTIFICATE = 10, "the file is not a certificate, or is damaged"
    WRONG_MOOT = 11, "the certificate is of another moot than this genesis"
    BAD_SIGNATURE = 12, "a signature in the certificate is not its author's"
    PROOF_INCOMPLETE = 13, "the statements in the certificate do not make a quorum"
    WRONG_PATH = 14, "the question is not part of the agenda that the members agreed on"
    WRONG_ITEM = 15, "the certificate holds records that may not be counted"
    WRONG_SUMMARY = 16, "the certificate's summary is not what its signed parts say"
    SETTINGS = 20, "the settings cannot work"
    NO_HOME = 21, "there is no node in this directory; moot init makes one"
    HOME_IN_USE = 22, "another process uses this home"
    PORT_IN_USE = 23, "another process listens on this port"
    IDENTITY = 24, "the identity file cannot be read or is damaged"
    MODEL_MISSING = 25, "the model file is not there or cannot be read"
    MODEL_INVALID = 26, "the model file is not a model that can be run"
    STORE_FULL = 27, "the disk is full or does not take writes"
    STORE_CORRUPT = 28, "the store is damaged, or belongs to another node, moot or version"
    GENESIS = 29, "the genesis document cannot found a moot"
    HOME_EXISTS = 30, "there is a node in this directory already"
    NOT_LOOPBACK = 31, "an address that others can reach was given to something without protection"
    QUESTION_REFUSED = 32, "the question cannot be asked"
    IDENTITY_IN_USE = 33, "another process runs with this node's identity, perhaps on another machine"
    ROSTER_REFUSED = 34, "the roster cannot be changed so"
    MODEL_NOT_FETCHED = 35, "the model was not downloaded to its end; the same command goes on from there"
    MODEL_FORBIDDEN = 36, "the hub of models does not give this model without permission"
    MODEL_SERVER = 37, "the model's server cannot be reached, or does not answer as one"
    QUORUMS_SPLIT = 40, "two quorums of the network share no node, so they could decide differently"
    QUORUMS_UNKNOWN = 41, "the check of the network's quorums ran out of time or memory"
    QUORUMS_NONE = 42, "the network has no quorum, so it can decide nothing"
    NOT_A_NETWORK = 43, "the file does not describe a network"
    BROKEN = 50, "an invariant did not hold in a simulation"
    NOT_A_PLAN = 51, "the file does not hold the plan of a simulation"
    MODEL_TOO_LARGE = 60, "the model needs more memory than this machine has free"
    MODEL_UNSOUND = 61, "the model can be loaded, but what it computes cannot be right"
    MODEL_OTHER = 62, "the model file is not the one that was meant: it has another digest"
    MODEL_UNABLE = 63, "the model, or what runs it, cannot do what was asked"
    MODEL_DIED = 64, "the model's process ended, or it could not carry out what was asked"
    MODEL_LATE = 65, "the model did not answer in time, or too many requests wait for it"
    MODEL_LIBRARY = 66, "llama.cpp is not installed, or cannot be loaded"
    ADAPTER = 67, "the file is not an adapter for this model"
    GRAMMAR = 68, "the grammar or schema cannot be followed"
    PROMPT_TOO_LONG = 69, "the prompt does not fit the model"
    INTERRUPTED = 130, "ended by Ctrl-C or SIGTERM; what was done until then is shown"

    def __new__(cls, code: int, meaning: str) -> "Exit":
        member = int.__new__(cls, code)
        member._value_ = code
        member.meaning = meaning
        return member


class NodeError(Exception):
    """Something that a person has to know or do."""

    exit_code: Exit = Exit.FAILED


class ConfigError(NodeError):
    """The settings cannot work. Carries every problem found, not just the first."""

    exit_code = Exit.SETTINGS

    def __init__(self, source: str, problems: list[str]) -> None:
        self.source, self.problems = source, problems
        super().__init__("\n".join([f"{source}: {len(problems)} problem(s)", *(f"  - {text}" for text in problems)]))


class HomeMissing(NodeError):
    """The directory is not there, or holds no node."""

    exit_code = Exit.NO_HOME


class HomeInUse(NodeError):
    """Another process has locked the home."""

    exit_code = Exit.HOME_IN_USE


class HomeExists(NodeError):
    """Here is a node already; it is never overwritten."""

    exit_code = Exit.HOME_EXISTS


class StoreFull(NodeError):
    """A write did not fit. Nothing of it was kept, and the store works on as before."""

    exit_code = Exit.STORE_FULL


class StoreCorrupt(NodeError):
    """The store cannot be trusted or is not ours. It is left as it is."""

    exit_code = Exit.STORE_CORRUPT


class GenesisInvalid(NodeError):
    """The document cannot found a moot."""

    exit_code = Exit.GENESIS


class IdentityInUse(NodeError):
    """Two processes run with one key. The older one stops, before it contradicts the newer one."""

    exit_code = Exit.IDENTITY_IN_USE


class QuestionRefused(NodeError):
    """The question cannot be asked here and now."""

    exit_code = Exit.QUESTION_REFUSED


class RosterRefused(NodeError):
    """The roster cannot be changed so."""

    exit_code = Exit.ROSTER_REFUSED


class QuestionNotFound(NodeError):
    """No question has this id, or several begin with it."""

    exit_code = Exit.NOT_FOUND

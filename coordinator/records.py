"""What members say about a question: the question, proposals and preferences. Frozen, bounded, canonical bytes."""

import re
from dataclasses import dataclass
from enum import Enum

from coordinator.encoding import U32_MAX, U64_MAX, Reader, Writer, decode
from coordinator.signed import Digest

TEXT_LENGTH_MAX = 2_000
OPTIONS_MAX = 16
ANSWER_LENGTH_MAX = 200
"""Of an option and of any normalized answer, in bytes of UTF-8; as many as there are samples fit in a record."""
SAMPLES_MAX = 64
DEADLINE_MS_MAX = 3_600_000

# Control and format characters, tags, spaces other than the plain one, surrogates, private use. Written out: what
# str.isprintable says depends on the Unicode version of each Python, and a record valid here must be valid everywhere.
_NOT_PLAIN = re.compile(
    "[\0-\x1f\x7f-\xa0\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u1680\u180e\u2000-\u200f\u2028-\u202f"
    "\u205f-\u206f\u3000\ud800-\uf8ff\ufdd0-\ufdef\ufeff\ufff0-\ufffb\ufffe\uffff\U000110bd\U000110cd"
    "\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U0010ffff]"
)


class QuestionError(ValueError):
    """The question cannot be asked. The message says why and what to do."""


class AnswerKind(Enum):
    CHOICE = "choice"
    NUMBER = "number"
    SHORT = "short"


@dataclass(frozen=True, slots=True)
class Cost:
    """What a model spent: llama.cpp decode calls, tokens in and out, microseconds. Sums are exact."""

    forward_passes: int = 0
    prompt_tokens: int = 0
    generated_tokens: int = 0
    model_us: int = 0

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(
            self.forward_passes + other.forward_passes,
            self.prompt_tokens + other.prompt_tokens,
            self.generated_tokens + other.generated_tokens,
            self.model_us + other.model_us,
        )


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked. The digest of its signed record is the question's id.

    `asked_ms` is the asker's wall clock and `nonce` makes equal texts different questions. Neither is relied on for
    safety. `tally` names a voting rule, or is empty for the charter's.
    """

    text: str
    kind: AnswerKind
    options: tuple[str, ...]
    deadline_ms: int
    tally: str
    asked_ms: int
    nonce: bytes

    def __post_init__(self) -> None:
        if not self.text.strip():
            raise QuestionError("the question is empty; say what is asked")
        if len(self.text) > TEXT_LENGTH_MAX:
            raise QuestionError(f"the question has {len(self.text)} characters; at most {TEXT_LENGTH_MAX} are allowed")
        if not is_plain(self.text.replace("\n", " ")):
            raise QuestionError("the question holds control characters; remove them")
        if self.kind is AnswerKind.CHOICE:
            _check_options(self.options)
        elif self.options:
            raise QuestionError(f"options were given to a question of kind {self.kind.value}; ask it as a choice")
        if not 0 < self.deadline_ms <= DEADLINE_MS_MAX:
            raise QuestionError(f"a deadline of {self.deadline_ms} ms; choose 1 to {DEADLINE_MS_MAX}")
        if len(self.tally) > 32 or not (self.tally.isascii() and is_plain(self.tally)):
            raise QuestionError(f"the voting rule {self.tally[:40]!r} is no name of one")
        if not 0 <= self.asked_ms <= U64_MAX or len(self.nonce) != 16:
            raise QuestionError("malformed time or nonce")

    def encode(self) -> bytes:
        writer = Writer().text(self.text).text(self.kind.value).items(self.options, Writer.text)
        return writer.u64(self.deadline_ms).text(self.tally).u64(self.asked_ms).fixed(self.nonce, 16).done()

    @staticmethod
    def decode(body: bytes) -> "Question":
        return decode(body, _read_question)


@dataclass(frozen=True, slots=True)
class Proposal:
    """One member's answer: how its samples fell, what it cost, and on which model. No samples: it abstains."""

    question: Digest
    counts: tuple[tuple[str, int], ...]
    """(normalized answer, number of samples), sorted by falling number, then by answer."""
    samples: int
    """How many were drawn; those that were no answer of the question's kind are in no count."""
    model: Digest
    seed: int
    temperature_milli: int
    cost: Cost

    def __post_init__(self) -> None:
        _check_points(self.counts, self.samples)
        if not 0 <= self.seed <= U64_MAX or not 0 <= self.temperature_milli <= U32_MAX:
            raise ValueError("seed or temperature out of range")

    @property
    def answer(self) -> str | None:
        """The most frequent answer; None when the member abstains."""
        return self.counts[0][0] if self.counts else None

    def encode(self) -> bytes:
        writer = Writer().fixed(self.question, 32).items(self.counts, _write_points).u32(self.samples)
        writer.fixed(self.model, 32).u64(self.seed).u32(self.temperature_milli)
        return _write_cost(writer, self.cost).done()

    @staticmethod
    def decode(body: bytes) -> "Proposal":
        return decode(
            body,
            lambda r: Proposal(
                r.fixed(32), r.items(SAMPLES_MAX, _read_points), r.u32(), r.fixed(32), r.u64(), r.u32(), _read_cost(r)
            ),
        )


@dataclass(frozen=True, slots=True)
class Preference:
    """One member's points over candidate answers. No points: it abstains, so that nobody waits for it."""

    question: Digest
    points: tuple[tuple[str, int], ...]
    """(candidate, points), sorted like a proposal's counts."""
    cost: Cost
    """What preferring cost, on top of the proposal's cost."""

    def __post_init__(self) -> None:
        _check_points(self.points, SAMPLES_MAX)

    def encode(self) -> bytes:
        writer = Writer().fixed(self.question, 32).items(self.points, _write_points)
        return _write_cost(writer, self.cost).done()

    @staticmethod
    def decode(body: bytes) -> "Preference":
        return decode(body, lambda r: Preference(r.fixed(32), r.items(SAMPLES_MAX, _read_points), _read_cost(r)))


def is_plain(text: str) -> bool:
    """Whether the text is safe to show: nothing in it moves a cursor or turns the writing around."""
    return _NOT_PLAIN.search(text) is None


def sorted_points(points: dict[str, int]) -> tuple[tuple[str, int], ...]:
    """The one order of points: most first, then by candidate."""
    return tuple(sorted(points.items(), key=lambda entry: (-entry[1], entry[0])))


def _check_options(options: tuple[str, ...]) -> None:
    if not 2 <= len(options) <= OPTIONS_MAX:
        raise QuestionError(f"a choice needs 2 to {OPTIONS_MAX} options; {len(options)} given")
    for option in options:
        if not is_plain(option) or not option.strip() or len(option.encode()) > ANSWER_LENGTH_MAX:
            raise QuestionError(
                f"the option {option[:40]!r} is empty, longer than {ANSWER_LENGTH_MAX} bytes or not printable"
            )
    # Only ASCII letters are folded here: what casefold does to others depends on the Unicode version, as above.
    if len({option.strip().encode().lower() for option in options}) != len(options):
        raise QuestionError("two options are the same; make each one different")


def _check_points(points: tuple[tuple[str, int], ...], total_max: int) -> None:
    if total_max > SAMPLES_MAX:
        raise ValueError(f"{total_max} samples, at most {SAMPLES_MAX} allowed")
    if points != sorted_points(dict(points)):
        raise ValueError("points that are not sorted and unique")
    if sum(count for _, count in points) > total_max:
        raise ValueError("more points than samples")
    for answer, count in points:
        if count < 1 or not is_plain(answer) or not 0 < len(answer.encode()) <= ANSWER_LENGTH_MAX:
            raise ValueError("a candidate without points, empty, too long or not printable")


def _read_question(reader: Reader) -> Question:
    return Question(
        reader.text(4 * TEXT_LENGTH_MAX),
        AnswerKind(reader.text(16)),
        reader.items(OPTIONS_MAX, lambda r: r.text(ANSWER_LENGTH_MAX)),
        reader.u64(),
        reader.text(32),
        reader.u64(),
        reader.fixed(16),
    )


def _write_points(writer: Writer, points: tuple[str, int]) -> None:
    writer.text(points[0]).u32(points[1])


def _read_points(reader: Reader) -> tuple[str, int]:
    return reader.text(ANSWER_LENGTH_MAX), reader.u32()


def _write_cost(writer: Writer, cost: Cost) -> Writer:
    return writer.u64(cost.forward_passes).u64(cost.prompt_tokens).u64(cost.generated_tokens).u64(cost.model_us)


def _read_cost(reader: Reader) -> Cost:
    return Cost(reader.u64(), reader.u64(), reader.u64(), reader.u64())

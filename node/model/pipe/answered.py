"""Answers as messages: what the model's process replies. Whatever it sends, only the right shape is taken."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any, TypeAlias

from node.model.engine import Ability, AdapterInfo, ModelInfo
from node.model.errors import BY_NAME, ModelError
from node.model.pipe.asked import Request
from node.model.pipe.counts import Counts
from node.model.pipe.frames import FrameError, Message
from node.model.requests import EmbedRequest, GenerateRequest, NextRequest, ScoreRequest
from node.model.results import Account, Embedded, End, Generated, NextToken, NextTokens, Piece, Score, Scored

Result: TypeAlias = Generated | Scored | NextTokens | Embedded

_ACCOUNT = (
    "forward_passes",
    "prompt_tokens",
    "cached_tokens",
    "generated_tokens",
    "decoded_tokens",
    "waited_us",
    "model_us",
)
_INT_MAX = 2**63


def ready_message(info: ModelInfo) -> Message:
    numbers = (info.parameters, info.context_length, info.size_bytes, info.parallel)
    abilities = sorted(ability.value for ability in info.abilities)
    return {"ready": [info.name, info.architecture, info.digest.hex(), numbers, abilities]}


def error_message(error: ModelError, number: int | None = None) -> Message:
    message: Message = {"error": [type(error).__name__, error.fields]}
    return message if number is None else message | {"id": number}


def pieces_message(number: int, pieces: Sequence[tuple[int, str]]) -> Message:
    return {"id": number, "pieces": pieces}


def result_message(number: int, result: Result) -> Message:
    message: Message = {"id": number, "account": [getattr(result.account, name) for name in _ACCOUNT]}
    match result:
        case Generated():
            ends = [end.value for end in result.ends]
            message["result"] = [result.texts, ends, result.lengths, result.logprobs]
        case Scored():
            message["result"] = [(score.logprob, score.tokens, score.unconditional) for score in result.scores]
        case NextTokens():
            message["result"] = [
                (token.token, token.text.decode("latin-1"), token.logprob, token.ends) for token in result.tokens
            ]
        case Embedded():
            message["result"] = result.vectors
    return message


def adapter_message(number: int, adapter: AdapterInfo) -> Message:
    return {"id": number, "adapter": (adapter.digest.hex(), adapter.name, adapter.size_bytes)}


def done_message(number: int) -> Message:
    return {"id": number, "done": True}


def counts_message(counts: Counts, number: int | None = None) -> Message:
    return {"tick": counts.values()} if number is None else {"id": number, "counts": counts.values()}


def ticket(message: Message) -> int:
    """Which request a message belongs to."""
    return _whole(message.get("id"))


def read_ready(message: Message) -> ModelInfo:
    """Raises FrameError when the message is neither that nor an error, and the ModelError that it reports."""
    raise_error(message)
    try:
        name, architecture, digest, numbers, abilities = message["ready"]
        parameters, context_length, size_bytes, parallel = map(_whole, numbers)
        return ModelInfo(
            name=_text(name),
            architecture=_text(architecture),
            parameters=parameters,
            context_length=context_length,
            digest=_digest(digest),
            size_bytes=size_bytes,
            abilities=frozenset(map(Ability, abilities)),
            parallel=parallel,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise FrameError(f"no description: {error!r}") from None


def read_pieces(message: Message, request: Request) -> list[Piece]:
    try:
        pieces = [Piece(_whole(sample), _text(text)) for sample, text in message["pieces"]]
    except (KeyError, TypeError, ValueError) as error:
        raise FrameError(f"no pieces: {error!r}") from None
    if not isinstance(request, GenerateRequest) or any(piece.sample >= request.samples for piece in pieces):
        raise FrameError("pieces of what was not asked for")
    return pieces


def read_result(message: Message, request: Request) -> Result:
    """As read_ready, for the answer to a request."""
    raise_error(message)
    try:
        account = Account(**dict(zip(_ACCOUNT, map(_whole, message["account"]), strict=True)))
        return _read_result(message["result"], request, account)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise FrameError(f"no result: {error!r}") from None


def _read_result(result: Any, request: Request, account: Account) -> Result:
    match request:
        case GenerateRequest():
            texts, ends, lengths, logprobs = result
            _expect(request.samples, texts, ends, lengths)
            _expect(request.samples if request.likelihood else 0, logprobs)
            return Generated(
                texts=tuple(map(_text, texts)),
                ends=tuple(map(End, ends)),
                account=account,
                logprobs=tuple(map(_real, logprobs)),
                lengths=tuple(map(_whole, lengths)),
            )
        case ScoreRequest():
            _expect(len(request.continuations), result)
            return Scored(tuple(_score(row, calibrated=request.calibrated) for row in result), account)
        case NextRequest():
            if len(result) > request.top:
                raise ValueError(f"{len(result)} tokens")
            return NextTokens(tuple(map(_next_token, result)), account)
        case EmbedRequest():
            _expect(len(request.texts), result)
            return Embedded(tuple(tuple(map(_real, vector)) for vector in result), account)


def _score(row: Any, *, calibrated: bool) -> Score:
    logprob, tokens, unconditional = row
    if not tokens:
        raise ValueError("no token was scored")
    return Score(_real(logprob), _whole(tokens), _real(unconditional) if calibrated else None)


def _next_token(row: Any) -> NextToken:
    token, text, logprob, ends = row
    return NextToken(_whole(token), _text(text).encode("latin-1"), _real(logprob), ends is True)


def read_adapter(message: Message) -> AdapterInfo:
    """As read_ready, for an adapter that was added."""
    raise_error(message)
    try:
        digest, name, size_bytes = message["adapter"]
        return AdapterInfo(_digest(digest), _text(name), _whole(size_bytes))
    except (KeyError, TypeError, ValueError) as error:
        raise FrameError(f"no adapter: {error!r}") from None


def read_done(message: Message) -> None:
    """As read_ready, where nothing comes back."""
    raise_error(message)
    if message.get("done") is not True:
        raise FrameError("no reply")


def read_counts(message: Message) -> Counts:
    """As read_ready, for counts that were asked for."""
    raise_error(message)
    return _counts(message.get("counts"))


def read_tick(message: Message) -> Counts:
    return _counts(message.get("tick"))


def _counts(values: Any) -> Counts:
    try:
        if len(values) != len(fields(Counts)):
            raise ValueError(f"{len(values)} counts")
        return Counts(*map(_whole, values))
    except (TypeError, ValueError) as error:
        raise FrameError(f"no counts: {error!r}") from None


def raise_error(message: Message) -> None:
    if "error" not in message:
        return
    try:
        kind, fields = message["error"]
        error = BY_NAME[kind](*fields)
    except (KeyError, TypeError, ValueError) as wrong:
        raise FrameError(f"no error of ours: {wrong!r}") from None
    raise error


def _expect(count: int, *rows: Any) -> None:
    for row in rows:
        if not isinstance(row, list) or len(row) != count:
            raise ValueError(f"not {count} of them")


def _whole(value: Any) -> int:
    if type(value) is not int or not 0 <= value < _INT_MAX:
        raise FrameError(f"no count: {value!r:.40}")
    return value


def _real(value: Any) -> float:
    number = float(value) if type(value) in (int, float) else float("nan")
    if number != number:
        raise ValueError(f"no number: {value!r:.40}")
    return number


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise FrameError(f"no text: {value!r:.40}")
    value.encode()  # half a surrogate pair has no UTF-8: whoever passes the text on would fail
    return value


def _digest(value: Any) -> bytes:
    digest = bytes.fromhex(value)
    if len(digest) != 32:
        raise ValueError("no digest")
    return digest

"""One GGUF model in llama.cpp: loading, tokens, forward passes, sampling. The only importer of llama_cpp.

Nothing here is safe to use from two threads, and a bug in llama.cpp ends the process: see process.py.
"""

import ctypes
import hashlib
import os
import sys
from collections import deque
from pathlib import Path
from typing import Any

from coordinator.records import SAMPLES_MAX
from node.model import chat, gguf_header
from node.model.engine import LoadSettings, ModelInfo
from node.model.errors import ModelFailed, ModelFileInvalid, ModelLibraryMissing, PromptTooLong

try:
    from llama_cpp import llama_cpp as native
except (ImportError, RuntimeError, OSError) as error:  # RuntimeError: its own word for a library that does not load
    raise ModelLibraryMissing(str(error)) from error

BATCH_TOKENS_MAX = 512  # per forward pass; llama.cpp's default, and what its buffers are sized for
CHARACTERS_PER_TOKEN_MAX = 32  # more than any language needs; refuses a huge prompt before the tokenizer works on it
CHARACTERS_MAX = 1_000_000
STACK_BYTES = 8 << 20  # what a main thread has on Linux
STACK_BYTES_PER_CHARACTER = 512  # measured: 345; llama.cpp splits words by std::regex, which calls itself per character
CELLS_MIN = 1_024  # of the KV cache: a model of short context still gets room for many samples
SEED_RANDOM = 0xFFFFFFFF  # llama.cpp takes this seed to mean "draw one"
_LOG_ERROR, _LOG_CONTINUED = 4, 5  # ggml_log_level


def characters_max(context_length: int) -> int:
    """Of a message."""
    return min(CHARACTERS_PER_TOKEN_MAX * context_length, CHARACTERS_MAX)


def stack_bytes(load: LoadSettings) -> int:
    """What the thread that runs the model needs; reserved, and used only by texts that are one endless word."""
    longest = characters_max(load.context_length) + chat.RENDERED_LENGTH_MAX
    return STACK_BYTES + STACK_BYTES_PER_CHARACTER * longest


class _Log:
    """Keeps llama.cpp quiet but for errors: those go to stderr, and the last ones into our own messages."""

    def __init__(self) -> None:
        self.errors: deque[str] = deque(maxlen=6)
        self._level = 0
        self.callback = native.llama_log_callback(self._write)

    def _write(self, level: int, text: bytes, _: object) -> None:
        self._level = self._level if level == _LOG_CONTINUED else level
        line = text.decode("utf-8", "replace").strip()
        if self._level == _LOG_ERROR and line:
            print(line, file=sys.stderr)
            self.errors.append(line)

    def reason(self, otherwise: str) -> str:
        return "; ".join(self.errors) or otherwise


_log = _Log()


class Llama:
    """A loaded model with one context of up to SAMPLES_MAX sequences, which share their common prefix in the KV cache.

    Args:
        path: a GGUF file.
    Raises:
        ModelFileMissing, ModelFileInvalid: the file cannot be used.
    """

    def __init__(self, path: Path, settings: LoadSettings) -> None:
        gguf_header.check(path)
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").digest()
        native.llama_log_set(_log.callback, None)
        native.llama_backend_init()
        params = native.llama_model_default_params()
        params.check_tensors = True  # a weight that is not a number would make every answer nonsense
        self._path = path
        self._context: Any = None
        self._memory: Any = None
        self._batch: Any = None
        self._model: Any = native.llama_model_load_from_file(os.fsencode(path), params)
        if not self._model:
            raise self._invalid("llama.cpp refuses it: " + _log.reason("no reason given"))
        if not native.llama_model_has_decoder(self._model) or native.llama_model_has_encoder(self._model):
            raise self._invalid("it is not a decoder-only language model; give one that generates text")
        self._vocab = native.llama_model_get_vocab(self._model)
        self.context_length = min(settings.context_length, int(native.llama_model_n_ctx_train(self._model)))
        self.cells = max(2 * self.context_length, CELLS_MIN)
        self._open_context(settings.threads)
        self._around = self._read_template()
        self._alphabet = self._read_alphabet()
        self.info = ModelInfo(
            name=self._entry(b"general.name") or path.stem,
            architecture=self._entry(b"general.architecture"),
            parameters=int(native.llama_model_n_params(self._model)),
            context_length=self.context_length,
            digest=digest,
            size_bytes=path.stat().st_size,
        )
        # A first pass now: a model that cannot run fails here and not at the first question, and its pages are read in.
        self.decode([(self.tokens("")[-1], 0, 0)], outputs_from=0)
        self.clear()

    def _invalid(self, problem: str) -> ModelFileInvalid:
        self.close()
        return ModelFileInvalid(str(self._path), problem)

    def _open_context(self, threads: int) -> None:
        params = native.llama_context_default_params()
        self.batch_tokens_max = max(SAMPLES_MAX, min(BATCH_TOKENS_MAX, self.context_length))
        params.n_ctx = self.cells
        params.n_batch = params.n_ubatch = self.batch_tokens_max  # equal: one decode is one forward pass
        params.n_seq_max = params.n_outputs_max = SAMPLES_MAX
        params.kv_unified = True  # sequences share the cells of their common prefix
        params.n_threads = params.n_threads_batch = threads
        self._context = native.llama_init_from_model(self._model, params)
        if not self._context:
            raise self._invalid("llama.cpp cannot make a context for it: " + _log.reason("out of memory?"))
        self._memory = native.llama_get_memory(self._context)
        self._batch = native.llama_batch_init(self.batch_tokens_max, 0, 1)

    def _entry(self, key: bytes) -> str:
        buffer = ctypes.create_string_buffer(256)
        size = native.llama_model_meta_val_str(self._model, key, buffer, len(buffer))
        return buffer.value.decode("utf-8", "replace") if size >= 0 else ""

    def _read_template(self) -> tuple[str, ...]:
        """What stands around a message: as the chat template says, or else a newline after it."""
        template = native.llama_model_chat_template(self._model, None)
        if not template:
            return ("", "\n")
        bos, eos = (
            native.llama_vocab_get_text(self._vocab, token).decode() if token >= 0 else ""
            for token in (native.llama_vocab_bos(self._vocab), native.llama_vocab_eos(self._vocab))
        )
        try:
            first, *rest = chat.around_message(template.decode("utf-8", "replace"), bos, eos)
        except ValueError as problem:
            raise self._invalid(f"its chat template cannot be used: {problem}") from None
        if native.llama_vocab_get_add_bos(self._vocab):
            first = first.removeprefix(bos)  # the tokenizer adds it; twice would be another prompt than in training
        return (first, *rest)

    def _read_alphabet(self) -> tuple[frozenset[str], frozenset[int]] | None:
        """The characters and the bytes that have a token of their own, or None if that is all of them.

        llama.cpp's SentencePiece tokenizer ends the process at a character that it can spell neither way.
        """
        if native.llama_vocab_type(self._vocab) != native.LLAMA_VOCAB_TYPE_SPM:
            return None
        letters, singles = set(), set()
        for token in range(native.llama_vocab_n_tokens(self._vocab)):
            kind = native.llama_vocab_get_attr(self._vocab, token)
            if kind & native.LLAMA_TOKEN_ATTR_BYTE:
                singles |= set(self.piece(token))
            elif kind & (native.LLAMA_TOKEN_ATTR_NORMAL | native.LLAMA_TOKEN_ATTR_USER_DEFINED):
                letter = native.llama_vocab_get_text(self._vocab, token).decode("utf-8", "replace").replace("▁", " ")
                if len(letter) == 1:
                    letters.add(letter)
                    singles |= {ord(letter)} if letter.isascii() else set()
            if len(singles) == 256:
                return None
        return frozenset(letters), frozenset(singles)

    def _spellable(self, message: str) -> str:
        """The message without what the vocabulary cannot spell, as tokenizers with no unknown token do."""
        if self._alphabet is None:
            return message
        letters, singles = self._alphabet
        return "".join(
            each for each in message if each in letters or singles.issuperset(each.encode("utf-8", "replace"))
        )

    def tokens(self, message: str) -> list[int]:
        """The prompt for one user message, as tokens.

        Control tokens come from the model's template alone: their names inside the message are read as plain text, so
        that a question cannot close the user's turn and speak as somebody else.
        Raises:
            PromptTooLong: no room is left for an answer.
        """
        if len(message) > characters_max(self.context_length):
            raise PromptTooLong(len(message), characters_max(self.context_length), "characters")
        message = self._spellable(message)
        if self._tokenize(message, special=True) == self._tokenize(message, special=False):
            tokens = self._tokenize(message.join(self._around), special=True, first=True)
        else:
            plain = self._tokenize(message, special=False)
            tokens = self._tokenize(self._around[0], special=True, first=True)
            for piece in self._around[1:]:
                tokens += plain + self._tokenize(piece, special=True)
        if not tokens:
            raise ModelFailed("the model's vocabulary can spell nothing of the prompt")
        if len(tokens) >= self.context_length:
            raise PromptTooLong(len(tokens), self.context_length - 1)
        return tokens

    def _tokenize(self, text: str, *, special: bool, first: bool = False) -> list[int]:
        """Args: special: read names of control tokens as those; first: add what begins a sequence, such as BOS."""
        data = text.encode("utf-8", "replace")  # half a surrogate pair has no UTF-8
        size = len(data) + 8
        buffer = (native.llama_token * size)()
        count = native.llama_tokenize(self._vocab, data, len(data), buffer, size, first, special)
        assert 0 <= count <= size, "no tokenizer makes more tokens than bytes, but for BOS and its like"
        tokens = list(buffer[:count])
        if (
            first
            and native.llama_vocab_get_add_eos(self._vocab)
            and tokens[-1:] == [native.llama_vocab_eos(self._vocab)]
        ):
            tokens.pop()  # it would end the text that is to be continued
        return tokens

    def piece(self, token: int) -> bytes:
        """The bytes a token stands for, perhaps a part of a character; none for a control token."""
        buffer = ctypes.create_string_buffer(64)
        size = native.llama_token_to_piece(self._vocab, token, buffer, len(buffer), 0, False)
        if size < 0:
            buffer = ctypes.create_string_buffer(-size)
            size = native.llama_token_to_piece(self._vocab, token, buffer, len(buffer), 0, False)
        return buffer.raw[:size]

    def is_end(self, token: int) -> bool:
        """Whether the token ends an answer."""
        return bool(native.llama_vocab_is_eog(self._vocab, token))

    def clear(self) -> None:
        """Forget every sequence."""
        native.llama_memory_clear(self._memory, False)

    def share(self, sequences: int) -> None:
        """Let sequences 1 to `sequences` - 1 begin as sequence 0 stands, in the same cells."""
        for sequence in range(1, sequences):
            native.llama_memory_seq_cp(self._memory, 0, sequence, -1, -1)

    def decode(self, parts: list[tuple[int, int, int]], *, outputs_from: int) -> None:
        """One forward pass.

        Args:
            parts: (token, position, sequence), at most `batch_tokens_max`.
            outputs_from: index of the first part whose logits will be sampled.
        Raises:
            ModelFailed: llama.cpp could not; what the sequences hold is then unknown.
        """
        batch = self._batch
        batch.n_tokens = len(parts)
        for index, (token, position, sequence) in enumerate(parts):
            batch.token[index] = token
            batch.pos[index] = position
            batch.n_seq_id[index] = 1
            batch.seq_id[index][0] = sequence
            batch.logits[index] = index >= outputs_from
        _log.errors.clear()
        status = native.llama_decode(self._context, batch)
        if status != 0:
            raise ModelFailed(f"llama_decode returned {status}: {_log.reason('no reason given')}")

    def sampler(self, temperature: float, seed: int) -> "Sampler":
        """Temperature 0 is greedy. The seed is taken modulo 2^32."""
        return Sampler(self._context, temperature, seed)

    def close(self) -> None:
        """Free the model. May be called again."""
        if self._context:
            native.llama_batch_free(self._batch)
            native.llama_free(self._context)
        if self._model:
            native.llama_model_free(self._model)
        self._context = self._model = None


class Sampler:
    """Draws tokens for one sequence from the logits of the latest forward pass."""

    def __init__(self, context: object, temperature: float, seed: int) -> None:
        self._context = context
        if temperature <= 0:
            self._chain = native.llama_sampler_init_greedy()
            return
        self._chain = native.llama_sampler_chain_init(native.llama_sampler_chain_default_params())
        native.llama_sampler_chain_add(self._chain, native.llama_sampler_init_temp(temperature))
        seed &= 0xFFFFFFFF
        native.llama_sampler_chain_add(self._chain, native.llama_sampler_init_dist(0 if seed == SEED_RANDOM else seed))

    def sample(self, index: int) -> int:
        """Draw from the output of the part at `index`; -1 for the last."""
        return int(native.llama_sampler_sample(self._chain, self._context, index))

    def close(self) -> None:
        native.llama_sampler_free(self._chain)

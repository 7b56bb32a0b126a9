"""From texts to a model's tokens and back."""

import ctypes
import functools
from typing import Any

from node.model import chat
from node.model.engine import LoadSettings
from node.model.errors import ModelFailed, PromptTooLong
from node.model.llamacpp.native import native

CHARACTERS_PER_TOKEN_MAX = 32  # more than any language needs; refuses a huge prompt before the tokenizer works on it
CHARACTERS_MAX = 1_000_000
STACK_BYTES = 8 << 20  # what a main thread has on Linux
STACK_BYTES_PER_CHARACTER = 512  # measured: 345; llama.cpp splits words by std::regex, which calls itself per character
_BEFORE_A_CONTINUATION = ("\n", "0", "a", ".")


def characters_max(context_length: int) -> int:
    """Of a message."""
    return min(CHARACTERS_PER_TOKEN_MAX * context_length, CHARACTERS_MAX)


def stack_bytes(load: LoadSettings) -> int:
    """What the thread that runs the model needs; reserved, and used only by texts that are one endless word."""
    longest = 2 * characters_max(load.context_length) + chat.RENDERED_LENGTH_MAX  # a message and what is written after
    return STACK_BYTES + STACK_BYTES_PER_CHARACTER * longest


class Vocabulary:
    """The tokens of one model.

    Args:
        pointer: llama.cpp's vocabulary; it lives as long as its model.
        template: the model's chat template, Jinja source; None if it has none.
        context_length: tokens of prompt and answer together.
    Raises:
        ValueError: the template cannot be used; the message says why.
    """

    def __init__(self, pointer: Any, template: str | None, context_length: int) -> None:
        self.pointer = pointer
        self.size = int(native.llama_vocab_n_tokens(pointer))
        self.ends = tuple(token for token in range(self.size) if native.llama_vocab_is_eog(pointer, token))
        self.context_length = context_length
        self._ends = frozenset(self.ends)
        self._pieces: dict[int, bytes] = {}
        self._around = self._read_template(template)
        self._alphabet = self._read_alphabet()

    def _read_template(self, template: str | None) -> tuple[str, ...]:
        """What stands around a message: as the chat template says, or else a newline after it."""
        if template is None:
            return ("", "\n")
        bos, eos = (
            native.llama_vocab_get_text(self.pointer, token).decode() if token >= 0 else ""
            for token in (native.llama_vocab_bos(self.pointer), native.llama_vocab_eos(self.pointer))
        )
        first, *rest = chat.around_message(template, bos, eos)
        if native.llama_vocab_get_add_bos(self.pointer):
            first = first.removeprefix(bos)  # the tokenizer adds it; twice would be another prompt than in training
        return (first, *rest)

    def _read_alphabet(self) -> tuple[frozenset[str], frozenset[int]] | None:
        """The characters and the bytes that have a token of their own, or None if that is all of them.

        llama.cpp's SentencePiece tokenizer ends the process at a character that it can spell neither way.
        """
        if native.llama_vocab_type(self.pointer) != native.LLAMA_VOCAB_TYPE_SPM:
            return None
        letters, singles = set(), set()
        for token in range(self.size):
            kind = native.llama_vocab_get_attr(self.pointer, token)
            if kind & native.LLAMA_TOKEN_ATTR_BYTE:
                singles |= set(self.piece(token))
            elif kind & (native.LLAMA_TOKEN_ATTR_NORMAL | native.LLAMA_TOKEN_ATTR_USER_DEFINED):
                letter = native.llama_vocab_get_text(self.pointer, token).decode("utf-8", "replace").replace("▁", " ")
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

    def prompt(self, message: str, *, raw: bool = False, written: str = "") -> list[int]:
        """The prompt for one user message, as tokens.

        Control tokens come from the model's template alone: their names inside the texts are read as plain text, so
        that a question cannot close the user's turn and speak as somebody else.

        Args:
            message: the bare text.
            raw: the message as it is, with no template and no newline.
            written: the beginning of the answer, which the model is to go on from.
        Raises:
            PromptTooLong: no room is left for an answer.
        """
        length = max(len(message), len(written))
        if length > characters_max(self.context_length):
            raise PromptTooLong(length, characters_max(self.context_length), "characters")
        message, written = self._spellable(message), self._spellable(written)
        around = self._around
        if raw:
            around, message, written = ("", ""), message + written, ""
        elif self._names_nothing(written):
            around, written = (*around[:-1], around[-1] + written), ""
        if self._names_nothing(message):
            tokens = self._tokenize(message.join(around), special=True, first=True)
        else:
            plain = self._tokenize(message, special=False)
            tokens = self._tokenize(around[0], special=True, first=True)
            for piece in around[1:]:
                tokens += plain + self._tokenize(piece, special=True)
        tokens += self.plain(written)
        if not tokens:
            raise ModelFailed("the model's vocabulary can spell nothing of the prompt")
        if len(tokens) >= self.context_length:
            raise PromptTooLong(len(tokens), self.context_length - 1)
        return tokens

    def plain(self, text: str) -> list[int]:
        """What goes on from other tokens: no control tokens, nothing that begins a sequence.

        Raises:
            PromptTooLong: longer than any continuation can be.
        """
        if len(text) > characters_max(self.context_length):
            raise PromptTooLong(len(text), characters_max(self.context_length), "characters")
        text = self._spellable(text)
        for before, first in self._continued:
            tokens = self._tokenize(before + text, special=False)
            if tokens[: len(first)] == first:
                return tokens[len(first) :]
        return self._tokenize(text, special=False)

    @functools.cached_property
    def _continued(self) -> list[tuple[str, list[int]]]:
        """Letters to put before a continuation, with their tokens.

        Some tokenizers put a space before any text, which would stand in the middle here. Behind a letter they do not.
        """
        letters = [letter for letter in _BEFORE_A_CONTINUATION if self._spellable(letter)]
        firsts = [(letter, self._tokenize(letter, special=False)) for letter in letters]
        if any(self._tokenize(letter * 2, special=False) == first * 2 for letter, first in firsts):
            return []  # nothing is put before
        return firsts

    def _names_nothing(self, text: str) -> bool:
        """Whether no part of the text is read as a control token."""
        return self._tokenize(text, special=True) == self._tokenize(text, special=False)

    def _tokenize(self, text: str, *, special: bool, first: bool = False) -> list[int]:
        """Args: special: read names of control tokens as those; first: add what begins a sequence, such as BOS."""
        data = text.encode("utf-8", "replace")  # half a surrogate pair has no UTF-8
        size = len(data) + 8
        buffer = (native.llama_token * size)()
        count = native.llama_tokenize(self.pointer, data, len(data), buffer, size, first, special)
        assert 0 <= count <= size, "no tokenizer makes more tokens than bytes, but for BOS and its like"
        tokens = list(buffer[:count])
        if (
            first
            and native.llama_vocab_get_add_eos(self.pointer)
            and tokens[-1:] == [native.llama_vocab_eos(self.pointer)]
        ):
            tokens.pop()  # it would end the text that is to be continued
        return tokens

    def piece(self, token: int) -> bytes:
        """The bytes a token stands for, perhaps a part of a character; none for a control token."""
        found = self._pieces.get(token)
        if found is None:
            found = self._pieces[token] = self._read_piece(token)
        return found

    def _read_piece(self, token: int) -> bytes:
        buffer = ctypes.create_string_buffer(64)
        size = native.llama_token_to_piece(self.pointer, token, buffer, len(buffer), 0, False)
        if size < 0:
            buffer = ctypes.create_string_buffer(-size)
            size = native.llama_token_to_piece(self.pointer, token, buffer, len(buffer), 0, False)
        return buffer.raw[:size]

    def is_end(self, token: int) -> bool:
        """Whether the token ends an answer."""
        return token in self._ends

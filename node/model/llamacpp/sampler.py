"""Draws one sample's tokens from what forward passes say.

The parts of a chain: grammar, top_k, top_p, min_p, temperature, chance. With a grammar a token is drawn without it
first and kept if the grammar has it: most are, and looking at one candidate instead of all saves milliseconds per
token. Only a token that is refused is drawn again, from what the grammar leaves.
"""

import ctypes
import hashlib
import time
from typing import Any

from node.model.errors import GrammarInvalid
from node.model.llamacpp.candidates import Candidates, scores
from node.model.llamacpp.chance import VOCABULARY_MIN, Chance, keeps_all
from node.model.llamacpp.native import log, native
from node.model.requests import Sampling

SEED_RANDOM = 0xFFFFFFFF  # llama.cpp takes this seed to mean "draw one"
GRAMMAR_STEP_SECONDS_MAX = 1.0
"""Of the processor, for one token. An ambiguous grammar's states may double with every letter; most such grammars are
given up here before they hang, and the others end with the process."""
_NOTHING = float("-inf")


class Sampler:
    """Draws the tokens of one sample.

    Args:
        context: llama.cpp's context.
        vocabulary: llama.cpp's vocabulary.
        candidates: room to work in; samplers of one context share it.
        sampling: how tokens are drawn.
        seed: taken modulo 2^32.
        grammar: GBNF; None for free text.
        steer: what is added to the scores of these tokens before the first draw.
    Raises:
        GrammarInvalid: llama.cpp cannot read the grammar.
    """

    def __init__(
        self,
        context: Any,
        vocabulary: Any,
        candidates: Candidates,
        sampling: Sampling,
        seed: int,
        *,
        grammar: str | None = None,
        steer: dict[int, float] | None = None,
    ) -> None:
        self._context = context
        self._candidates = candidates
        self._steer = steer
        self._grammar = None if grammar is None else read_grammar(vocabulary, grammar)
        self._chain = self._chance = None
        if candidates.size >= VOCABULARY_MIN and keeps_all(sampling):
            self._chance = Chance(candidates.weights, sampling.temperature, seed & 0xFFFFFFFF)
        if self._chance is None or steer:
            self._chain = _chain(sampling, seed & 0xFFFFFFFF)
        # A second generator, for what is drawn again: the first one's numbers are those that led to what was refused.
        self._again = None if grammar is None else _chain(sampling, _unrelated(seed))
        self._plain = self._grammar is None and not steer
        self._one = native.llama_token_data()
        self._alone = native.llama_token_data_array(ctypes.pointer(self._one), 1, -1, False)

    def draw(self, index: int) -> int:
        """Draw from the output of the part at `index` of the latest pass.

        Raises:
            GrammarInvalid: no token of the vocabulary can go on, or following the grammar takes too long.
        """
        if self._plain:
            return self._draw(index)
        if self._steer:
            token = self._draw_among(index, self._chain, self._steer)
            self._steer = None
            self._plain = self._grammar is None
        else:
            token = self._draw(index)
            if not self._allows(token):
                token = self._draw_among(index, self._again, {})
        if self._grammar is not None:
            _in_time(native.llama_sampler_accept, self._grammar, token)
        return token

    def _draw(self, index: int) -> int:
        if self._chance is None:
            return int(native.llama_sampler_sample(self._chain, self._context, index))
        found = native.llama_get_logits_ith(self._context, index)
        return self._chance.draw(scores(found, self._candidates.size))

    def _allows(self, token: int) -> bool:
        self._one.id, self._one.logit = token, 0.0
        _in_time(native.llama_sampler_apply, self._grammar, ctypes.byref(self._alone))
        return bool(self._one.logit > _NOTHING)

    def _draw_among(self, index: int, chain: Any, steer: dict[int, float]) -> int:
        """Draw from all tokens that the grammar allows."""
        candidates = self._candidates
        candidates.load(native.llama_get_logits_ith(self._context, index), steer)
        if self._grammar is not None:
            _in_time(native.llama_sampler_apply, self._grammar, candidates.reference)
            if not candidates.any():  # llama.cpp would take one all the same, and end the process over it
                raise GrammarInvalid("no token of this model's vocabulary can go on from here")
        native.llama_sampler_apply(chain, candidates.reference)
        return candidates.selected()

    def close(self) -> None:
        """Free the sampler. May be called again."""
        for part in (self._chain, self._again, self._grammar):
            if part is not None:
                native.llama_sampler_free(part)
        self._chain = self._again = self._grammar = None


def read_grammar(vocabulary: Any, text: str) -> Any:
    """A sampler of llama.cpp's, to be freed. Raises: GrammarInvalid: it cannot read the text."""
    log.clear()
    grammar = native.llama_sampler_init_grammar(vocabulary, text.encode("utf-8", "replace"), b"root")
    if not grammar:
        raise GrammarInvalid(log.reason())
    return grammar


def _in_time(call: Any, *arguments: Any) -> None:
    started = time.thread_time()
    call(*arguments)
    seconds = time.thread_time() - started
    if seconds > GRAMMAR_STEP_SECONDS_MAX:
        raise GrammarInvalid(
            f"one token took {seconds:.1f} s: it can be read in too many ways at once; make it plainer"
        )


def _unrelated(seed: int) -> int:
    return int.from_bytes(
        hashlib.sha256(b"moot second draw" + (seed & 0xFFFFFFFF).to_bytes(4, "big")).digest()[:4], "big"
    )


def _chain(sampling: Sampling, seed: int) -> Any:
    chain = native.llama_sampler_chain_init(native.llama_sampler_chain_default_params())
    for part in _parts(sampling, seed):
        native.llama_sampler_chain_add(chain, part)
    return chain


def _parts(sampling: Sampling, seed: int) -> list[Any]:
    if sampling.temperature <= 0:
        return [native.llama_sampler_init_greedy()]
    parts = []
    if sampling.top_k > 0:
        parts.append(native.llama_sampler_init_top_k(sampling.top_k))
    if sampling.top_p < 1:
        parts.append(native.llama_sampler_init_top_p(sampling.top_p, 1))
    if sampling.min_p > 0:
        parts.append(native.llama_sampler_init_min_p(sampling.min_p, 1))
    parts.append(native.llama_sampler_init_temp(sampling.temperature))
    parts.append(native.llama_sampler_init_dist(0 if seed == SEED_RANDOM else seed))
    return parts

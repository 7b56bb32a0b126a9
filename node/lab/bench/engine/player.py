"""The process of a contender, `python -m node.lab.bench.engine.player`: orders on stdin, what they took on stdout.

It keeps llama.cpp out of the process that measures.
"""

import json
import sys
import time
from typing import Any

from node.lab.bench.engine.contenders import TOKENS


def main() -> None:
    call = None
    for line in sys.stdin:
        order = json.loads(line)
        if order["kind"] == "bare":
            played = _bare(order)
        else:
            call = call or _Call(order)
            played = call.play(order["prompts"])
        print(json.dumps(played), flush=True)


def _bare(order: dict[str, Any]) -> dict[str, Any]:
    from pathlib import Path

    from node.lab.bench.engine.bare import limit

    count = len(order["prompts"])
    done = limit(Path(order["path"]), order["callers"], count, TOKENS, order["prompts"], threads=order["threads"])
    return {"seconds": done.seconds, "tokens": done.tokens, "waits_s": []}


class _Call:
    """llama-cpp-python's high-level class, drawn from as plainly as the others: no penalties, no cut tails."""

    def __init__(self, order: dict[str, Any]) -> None:
        from llama_cpp import Llama

        threads = order["threads"]
        self._llama = Llama(
            order["path"], n_ctx=order["context_length"], n_threads=threads, n_threads_batch=threads, verbose=False
        )

    def play(self, prompts: list[str]) -> dict[str, Any]:
        waits, tokens = [], 0
        began = time.perf_counter()
        for number, prompt in enumerate(prompts):
            asked = time.perf_counter()
            answer: Any = self._llama.create_completion(
                prompt,
                max_tokens=TOKENS,
                temperature=1.0,
                top_p=1.0,
                top_k=0,
                min_p=0.0,
                repeat_penalty=1.0,
                seed=number,
            )
            waits.append(time.perf_counter() - asked)
            tokens += answer["usage"]["completion_tokens"]
        return {"seconds": time.perf_counter() - began, "tokens": tokens, "waits_s": waits}


if __name__ == "__main__":
    main()

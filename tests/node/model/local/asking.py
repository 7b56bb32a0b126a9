"""What tests of the node's side share: short requests."""

from typing import Any

from node.model.local.settings import ProcessSettings
from node.model.requests import GenerateRequest, Grammar

FAST = ProcessSettings(restart_ms_min=10)


def ask(prompt: str, *, caller: str = "", samples: int = 1, grammar: str = "", **more: Any) -> GenerateRequest:
    return GenerateRequest(
        prompt=prompt,
        samples=samples,
        caller=caller,
        grammar=Grammar("gbnf", grammar) if grammar else None,
        **more,
    )

"""What tests ask for, and answers that they change."""

from typing import Any

from node.model.requests import GenerateRequest
from tests.node.model.remote.servers import Body, Reply

CHAT = "/v1/chat/completions"
ASK = GenerateRequest(prompt="Which colour?", tokens_max=8)
HANGS = Reply(200, {}, (None,), 100)
STREAM = {"content-type": "text/event-stream"}


def text(content: Any = " red", usage: Any = None, **changed: Any) -> Body:
    choice = {"index": 0, "message": {"content": content}, "finish_reason": "stop", "logprobs": None} | changed
    return {"choices": [choice], "usage": usage}


def tokens(*values: Any) -> Body:
    return {"content": [{"token": "a", "bytes": [97], "logprob": value, "top_logprobs": []} for value in values]}

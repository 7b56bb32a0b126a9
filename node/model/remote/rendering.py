"""Asks a server what a message looks like in its model's chat template, so that bare text can go on from there."""

from typing import Any

from node.model.remote.dialect import Dialect, Kind
from node.model.remote.errors import AnswerInvalid
from node.model.remote.http import Call, Http
from node.model.remote.replies import clean

_TOKENS_MAX = 1 << 20


async def rendered(http: Http, dialect: Dialect, message: str, call: Call) -> str:
    """The message as one user turn, up to where the model's answer begins.

    Raises:
        ServerError: it does not say.
    Source: llama-server's POST /apply-template; vLLM's POST /tokenize and /detokenize.
    """
    message = clean(message)
    messages: list[Any] = [{"role": "user", "content": message}]
    match dialect.kind:
        case Kind.LLAMA_SERVER:
            answer = await http.post("/apply-template", {"messages": messages}, call, root=True)
        case Kind.VLLM:
            body = {"model": dialect.model, "messages": messages, "add_generation_prompt": True}
            tokens = (await http.post("/tokenize", body, call, root=True)).get("tokens")
            if not isinstance(tokens, list) or len(tokens) > _TOKENS_MAX or not all(type(t) is int for t in tokens):
                raise AnswerInvalid(http.place, "sends no tokens for a prompt")
            body = {"model": dialect.model, "tokens": tokens}
            answer = await http.post("/detokenize", body, call, root=True)
        case _:
            raise AnswerInvalid(http.place, "has no way to say what a prompt looks like in the model's template")
    text = answer.get("prompt")
    if not isinstance(text, str) or message.strip() not in text:
        raise AnswerInvalid(http.place, "sends a prompt in which the message is not")
    return clean(text)

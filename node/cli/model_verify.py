"""`moot model verify`: whether a model can be relied on, and if not, what is wrong with it."""

import asyncio
import math
import re

from node.cli.model_errors import ModelTrouble, WrongModelOption, told
from node.cli.model_named import Named
from node.cli.model_print import harmless, mebibytes
from node.cli.terminal import answer_json, console, is_plain, say
from node.errors import Exit, NodeError
from node.model import gguf_facts, gguf_header, reference
from node.model.checking.run import check_file
from node.model.checking.steps import Begun, Passed
from node.model.engine import Ability
from node.model.opening import ModelFile, open_engine
from node.model.remote.address import ServerAddress
from node.model.requests import GenerateRequest, NextRequest

STEP_WIDTH = 14
PROMPT, ANSWER_TOKENS_MAX, NEXT_TOKENS = "How many legs does a horse have?", 16, 5


def verify_model(chosen: Named, digest: str | None, as_json: bool) -> None:
    """Check everything, its adapters too, and print each step.

    Args:
        chosen: the model.
        digest: what the file's must be, in hexadecimal digits; None for what a reference model's card says.
        as_json: one object a line.
    Raises:
        NodeError: it is not usable.
    """
    if digest is not None and not re.fullmatch(r"[0-9a-fA-F]{64}", digest):
        raise WrongModelOption(f"--digest {digest}: a SHA-256 has 64 digits, 0 to 9 and a to f")
    try:
        with told():
            asyncio.run(_verify(chosen, digest, as_json))
    except NodeError as error:
        if as_json:
            answer_json({"usable": False, "problem": str(error), "exit_code": int(error.exit_code)})
        raise
    if as_json:
        answer_json({"usable": True})
    else:
        console().print(f"{chosen.text} is usable", style="green", soft_wrap=True)


async def _verify(chosen: Named, digest: str | None, as_json: bool) -> None:
    match chosen.place:
        case ModelFile() as place:
            _verify_header(place, as_json)
            _verify_digest(place, digest, as_json)
            await _verify_file(place, chosen, as_json)
        case ServerAddress() as address:
            if digest is not None or chosen.adapters:
                raise WrongModelOption("--digest and --adapter are for files; a server tells neither")
            await _verify_server(address, as_json)


async def _verify_file(place: ModelFile, chosen: Named, as_json: bool) -> None:
    async for event in check_file(place.path, chosen.load, [adapter.path for adapter in chosen.adapters]):
        match event:
            case Begun(step):
                if not (as_json or is_plain(error=True)):
                    say((f"{step} ...", "dim"))
            case Passed():
                _tell(event, as_json)


async def _verify_server(address: ServerAddress, as_json: bool) -> None:
    """Of a server only what it answers can be checked."""
    engine = await open_engine(address)
    try:
        info = await engine.describe()
        abilities = ", ".join(sorted(ability.value for ability in info.abilities))
        _tell(Passed("server", f"{info.name}; can {abilities}"), as_json)
        answer = await engine.generate(GenerateRequest(prompt=PROMPT, tokens_max=ANSWER_TOKENS_MAX))
        _tell(Passed("answer", repr(answer.texts[0])), as_json)
        if Ability.NEXT in info.abilities:
            found = (await engine.next_tokens(NextRequest(prompt=PROMPT, top=NEXT_TOKENS))).tokens
            _tell(
                Passed("next tokens", f"{sum(math.exp(token.logprob) for token in found):.1%} in {len(found)}"), as_json
            )
    finally:
        await engine.close()


def _verify_header(place: ModelFile, as_json: bool) -> None:
    header = gguf_header.check(place.path)
    facts = gguf_facts.facts(header, place.path.stem)
    size = mebibytes(place.path.stat().st_size)
    said = f"GGUF {header.version}, {facts.architecture}, {facts.quantization}, {facts.parameters:,} parameters, {size}"
    _tell(Passed("header", said), as_json)


def _verify_digest(place: ModelFile, wanted: str | None, as_json: bool) -> None:
    source = "as given"
    if wanted is None and place.reference is not None:
        wanted, source = str(reference.card(place.reference)["sha256"]), "as on its card"
    found = gguf_header.digest(place.path).hex()
    if wanted is not None and found != wanted.lower():
        raise ModelTrouble(
            f"{place.path}: its digest is {found}; {wanted.lower()} was meant: this is another file, fetch it again",
            Exit.MODEL_OTHER,
        )
    _tell(Passed("digest", f"{found}{', ' + source if wanted is not None else ''}"), as_json)


def _tell(passed: Passed, as_json: bool) -> None:
    if as_json:
        answer_json({"step": passed.step, "ok": True, "said": passed.said})
    else:
        console().print(f"{passed.step:<{STEP_WIDTH}}  {harmless(passed.said)}", soft_wrap=True)

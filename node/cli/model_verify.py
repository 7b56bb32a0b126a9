"""`moot model verify`: whether a model can be relied on, and if not, what is wrong with it."""

import asyncio
import hashlib
import re
from pathlib import Path

from node.cli.model_errors import ModelTrouble, WrongModelOption, told
from node.cli.model_named import Named
from node.cli.model_print import harmless, mebibytes
from node.cli.terminal import answer_json, console, is_plain, say
from node.errors import Exit, NodeError
from node.model import gguf_facts, gguf_header, reference
from node.model.checking.run import check_file
from node.model.checking.steps import Begun, Passed
from node.model.opening import ModelFile

STEP_WIDTH = 14


def verify_model(chosen: Named, digest: str | None, adapters: list[Path], as_json: bool) -> None:
    """Check everything, and print each step.

    Args:
        chosen: the model.
        digest: what the file's must be, in hexadecimal digits; None for what a reference model's card says.
        adapters: to be checked with it.
        as_json: one object a line.
    Raises:
        NodeError: it is not usable.
    """
    if digest is not None and not re.fullmatch(r"[0-9a-fA-F]{64}", digest):
        raise WrongModelOption(f"--digest {digest}: a SHA-256 has 64 digits, 0 to 9 and a to f")
    try:
        with told():
            asyncio.run(_verify(chosen, digest, adapters, as_json))
    except NodeError as error:
        if as_json:
            answer_json({"usable": False, "problem": str(error), "exit_code": int(error.exit_code)})
        raise
    if as_json:
        answer_json({"usable": True})
    else:
        console().print(f"{chosen.text} is usable", style="green", soft_wrap=True)


async def _verify(chosen: Named, digest: str | None, adapters: list[Path], as_json: bool) -> None:
    _verify_header(chosen.place, as_json)
    _verify_digest(chosen.place, digest, as_json)
    async for event in check_file(chosen.place.path, chosen.load, adapters):
        match event:
            case Begun(step):
                if not (as_json or is_plain(error=True)):
                    say((f"{step} ...", "dim"))
            case Passed():
                _tell(event, as_json)


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
    with place.path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
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

"""`moot model show`: what a model is, what it can do here, and what it will take of this machine's memory."""

import asyncio
from typing import Any

from node.cli.model_errors import told
from node.cli.model_named import Named, open_named
from node.cli.model_print import count, mebibytes, print_facts
from node.cli.terminal import answer_json, say
from node.errors import NodeError
from node.model import gguf_facts, gguf_header, reference
from node.model.engine import Ability, ModelInfo
from node.model.llamacpp import memory
from node.model.opening import ModelFile
from node.model.remote.address import ServerAddress
from node.model.remote.engine import LACKS

HASH_SAID_BYTES = 1 << 30
"""From this size on, reading a whole file takes long enough to say so."""


def show_model(chosen: Named, as_json: bool) -> None:
    """Print all that is known of it.

    Raises:
        NodeError: it cannot be used; what is known nevertheless was printed.
    """
    report: dict[str, Any] = {"model": chosen.text}
    if isinstance(chosen.place, ModelFile):
        with told():
            report |= _of_file(chosen.place, chosen)
    try:
        with told():
            report |= _of_engine(asyncio.run(_describe(chosen)), isinstance(chosen.place, ServerAddress))
    except NodeError as error:
        _print(report | {"problem": str(error)}, as_json)
        raise
    _print(report, as_json)


def _of_file(place: ModelFile, chosen: Named) -> dict[str, Any]:
    """What the file says, without running it."""
    header = gguf_header.check(place.path)
    size = place.path.stat().st_size
    if size >= HASH_SAID_BYTES:
        say((f"reading {place.path} for its digest", "dim"))
    digest = gguf_header.digest(place.path).hex()
    facts = gguf_facts.facts(header, place.path.stem)
    report: dict[str, Any] = {
        "file": str(place.path),
        "name": facts.name,
        "architecture": facts.architecture,
        "parameters": facts.parameters,
        "quantization": facts.quantization,
        "bits_per_weight": round(size * 8 / max(1, facts.parameters), 2),
        "vocabulary": facts.vocabulary,
        "context_length_trained": facts.context_length,
        "context_length": memory.context_length(header, chosen.load),
        "chat_template": facts.template,
        "size_bytes": size,
        "digest": digest,
        "threads": chosen.load.threads,
        "parallel": chosen.load.parallel,
        "cached_tokens": memory.cells(header, chosen.load),
        "memory_bytes": memory.needed(place.path, header, chosen.load),
        "memory_free_bytes": memory.available(),
    }
    if place.reference is not None:
        report |= _of_card(place.reference, digest)
    return report


def _of_card(name: str, digest: str) -> dict[str, Any]:
    card = reference.card(name)
    accuracy = {
        skill: round(found["correct"] / found["questions"], 3)
        for skill, found in card.get("accuracy", {}).items()
        if found["questions"]
    }
    return {"about": card["about"], "accuracy": accuracy, "digest_as_on_card": digest == card["sha256"]}


async def _describe(chosen: Named) -> ModelInfo:
    engine, _ = await open_named(chosen)
    try:
        return await engine.describe()
    finally:
        await engine.close()


def _of_engine(info: ModelInfo, is_server: bool) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": info.name,
        "architecture": info.architecture,
        "parameters": info.parameters,
        "context_length": info.context_length,
        "size_bytes": info.size_bytes,
        "digest": info.digest.hex(),
        "parallel": info.parallel,
    }
    lacks = {
        ability.value: LACKS.get(ability, "") if is_server else "it is not made for that"
        for ability in Ability
        if ability not in info.abilities
    }
    known = {key: value for key, value in found.items() if value}
    if info.adapters:
        known["adapters"] = [{"name": one.name, "digest": one.digest.hex()} for one in info.adapters]
        known["weights"] = info.weights.hex()
    return known | {"abilities": sorted(ability.value for ability in info.abilities), "lacks": lacks}


def _print(report: dict[str, Any], as_json: bool) -> None:
    if as_json:
        answer_json(report)
        return
    print_facts([(name, value) for name, value in _lines(report) if value])


def _lines(report: dict[str, Any]) -> list[tuple[str, str]]:
    """One fact a line; what is not known has none."""
    get = report.get
    memory_line = f"about {mebibytes(report['memory_bytes'])}" if "memory_bytes" in report else ""
    if memory_line and report["memory_free_bytes"] is not None:
        memory_line += f" with these settings; {mebibytes(report['memory_free_bytes'])} are free"
    quantized = f"{get('quantization')}, {get('bits_per_weight')} bits a weight" if "quantization" in report else ""
    used = f"{get('context_length', 0):,} tokens used" if get("context_length") else ""
    trained = f", trained for {get('context_length_trained'):,}" if get("context_length_trained") else ""
    on_card = ""
    if "digest_as_on_card" in report:
        on_card = "  as on its card" if report["digest_as_on_card"] else "  not the one on its card"
    accuracy = "  ".join(f"{skill} {share:.2f}" for skill, share in get("accuracy", {}).items())
    return [
        ("model", report["model"]),
        ("file", get("file", "")),
        ("name", get("name", "")),
        ("about", get("about", "")),
        ("architecture", get("architecture", "")),
        ("parameters", count(get("parameters", 0))),
        ("quantization", quantized),
        ("vocabulary", f"{get('vocabulary'):,} tokens" if get("vocabulary") else ""),
        ("context", used + trained),
        ("chat template", get("chat_template", "")),
        ("size", mebibytes(get("size_bytes", 0)) if get("size_bytes") else ""),
        ("digest", f"{report['digest']}{on_card}" if get("digest") else ""),
        *(("adapter", f"{one['name']}  {one['digest']}") for one in get("adapters", [])),
        ("answers as", get("weights", "")),
        ("at once", f"{get('parallel')} samples, {get('cached_tokens'):,} tokens kept" if memory_line else ""),
        ("memory", memory_line),
        ("can", ", ".join(get("abilities", []))),
        *(("cannot", f"{ability}: {why}") for ability, why in get("lacks", {}).items()),
        ("accuracy", accuracy),
        ("problem", get("problem", "")),
    ]

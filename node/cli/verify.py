"""`moot verify`: check a certificate with nothing but the moot's genesis. No node, no network."""

from pathlib import Path
from typing import Annotated, Any

import typer

from coordinator.ledger.certificate import SIZE_MAX, Verified
from coordinator.ledger.certificate import verify as verify_certificate
from coordinator.ledger.genesis import SIZE_MAX as GENESIS_SIZE_MAX
from coordinator.ledger.genesis import Genesis, GenesisError
from coordinator.ledger.proof import CertificateError, Fault
from node.cli import show
from node.cli.options import DEFAULT_HOME, HomeOption, JsonOption, home_path
from node.cli.terminal import answer, answer_json, console, say
from node.errors import Exit, GenesisInvalid, NodeError

GENESIS_NAME = "genesis.json"

EXITS = {
    Fault.MALFORMED: Exit.NOT_A_CERTIFICATE,
    Fault.OTHER_MOOT: Exit.WRONG_MOOT,
    Fault.BAD_SIGNATURE: Exit.BAD_SIGNATURE,
    Fault.NO_QUORUM: Exit.PROOF_INCOMPLETE,
    Fault.PATH: Exit.WRONG_PATH,
    Fault.ITEM: Exit.WRONG_ITEM,
    Fault.SUMMARY: Exit.WRONG_SUMMARY,
}


class UnreadableFile(NodeError):
    """A file that the person named cannot be used."""

    exit_code = Exit.USAGE


def verify(
    certificate: Annotated[Path, typer.Argument(metavar="FILE", help="A certificate, as decisions export writes it.")],
    genesis: Annotated[
        Path | None,
        typer.Option("--genesis", metavar="FILE", help="The moot's genesis. Default: beside FILE, else in the home."),
    ] = None,
    home: HomeOption = Path(DEFAULT_HOME),
    as_json: JsonOption = False,
) -> None:
    """Check a certificate, offline and without a node."""
    from node.signing import MootVerifier  # brings cryptography, which other commands start faster without

    moot = _genesis(genesis, certificate, home_path(home))
    data = _read(certificate, SIZE_MAX + 1)
    try:
        verified = verify_certificate(data, moot, MootVerifier(moot.moot_id).verify)
    except CertificateError as error:
        if as_json:
            answer_json({"verified": False, "fault": error.fault.value, "reason": str(error)})
        say(("refused: ", "bold red"), f"{certificate}: {error}")
        raise typer.Exit(int(EXITS[error.fault])) from None
    report = _report(verified, moot)
    if as_json:
        answer_json(report)
        return
    answer(verified.resolution.outcome.answer if verified.resolution.outcome else report["reason"])
    for name, value in _lines(verified, moot):
        console(error=True).print(show.fact(name, value), soft_wrap=True)


def _genesis(given: Path | None, certificate: Path, home: Path) -> Genesis:
    """The genesis that was named, else the one beside the certificate, else the home's."""
    places = [given] if given else [certificate.absolute().parent / GENESIS_NAME, home / GENESIS_NAME]
    place = next((place for place in places if place.is_file()), None)
    if place is None:
        raise UnreadableFile(
            f"no genesis at {' or '.join(map(str, places))}; a certificate proves nothing without the genesis of a "
            "moot that you trust: moot verify FILE --genesis GENESIS"
        )
    try:
        return Genesis.from_json(_read(place, GENESIS_SIZE_MAX + 1))
    except GenesisError as error:
        raise GenesisInvalid(f"{place}: {error}") from error


def _read(place: Path, size_max: int) -> bytes:
    try:
        with place.open("rb") as file:
            return file.read(size_max)
    except OSError as error:
        raise UnreadableFile(f"{place}: {error.strerror}") from error


def _report(verified: Verified, moot: Genesis) -> dict[str, Any]:
    resolution = verified.resolution
    outcome = resolution.outcome
    return {
        "verified": True,
        "moot": moot.moot_id.hex(),
        "moot_name": moot.name,
        "slot": verified.slot,
        "epoch": verified.roster.epoch,
        "agenda": verified.agenda.hex(),
        "id": resolution.id.hex(),
        "question": resolution.question.text,
        "asked_by": verified.roster.by_node[resolution.asker].name,
        "answer": outcome.answer if outcome else None,
        "reason": resolution.reason,
        "tally": resolution.tally,
        "scores": [list(score) for score in outcome.scores] if outcome else [],
        "tied": list(outcome.tied) if outcome else [],
        "answered": resolution.answered,
        "members": {verified.roster.by_node[part.member].name: part.stand.value for part in resolution.parts},
        "signers": [verified.roster.by_node[signer].name for signer in verified.signers],
        "threshold": verified.roster.charter.threshold,
        "cost": {
            "forward_passes": resolution.cost.forward_passes,
            "prompt_tokens": resolution.cost.prompt_tokens,
            "generated_tokens": resolution.cost.generated_tokens,
            "model_ms": resolution.cost.model_us / 1000,
        },
    }


def _lines(verified: Verified, moot: Genesis) -> list[tuple[str, str]]:
    """What was proven, one fact a line."""
    resolution, outcome, cost = verified.resolution, verified.resolution.outcome, verified.resolution.cost
    roster = verified.roster
    signers = ", ".join(roster.by_node[signer].name for signer in verified.signers)
    signed = f"{len(verified.signers)} of {len(roster.members)} members signed ({roster.charter.threshold} needed)"
    lines = [
        ("verified", f"{signed}: {signers}"),
        ("question", resolution.question.text),
        ("id", resolution.id.hex()),
        ("asked by", roster.by_node[resolution.asker].name),
        ("answered", f"{resolution.answered} of {len(roster.members)} members"),
    ]
    if outcome:
        lines.append(("tally", f"{resolution.tally}: {show.tally_line(outcome.scores, outcome.tied)}"))
    spent = f"{cost.forward_passes:,} forward passes, {cost.prompt_tokens:,} tokens in, {cost.generated_tokens:,} out"
    lines.append(("cost", spent))
    lines.append(("moot", f"{moot.name}  {moot.moot_id.hex()}"))
    lines.append(("slot", str(verified.slot)))
    if roster.epoch:
        changes = show.plural(roster.epoch, "change")
        lines.append(("roster", f"of epoch {roster.epoch}: {changes} since the genesis, each proven"))
    return lines

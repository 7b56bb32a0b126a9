"""How nodes and moots begin: a new home with its member card, a genesis made out of cards, and a home that takes it."""

import json
import os
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from coordinator.ledger.genesis import SIZE_MAX, Genesis, GenesisError
from coordinator.ledger.roster import Member
from node import identity, settings
from node.errors import Exit, GenesisInvalid, HomeExists, NodeError
from node.home import Home
from node.model import gguf_header, reference
from node.model.errors import ModelFileInvalid, ModelFileMissing
from node.model.remote.address import is_remote
from node.transport.address import parse_address

CARD_NAME = "member.json"
CARD_FORMAT = "moot-member-v1"
CARD_SIZE_MAX = 64 * 1024


class CardInvalid(NodeError):
    """A member card cannot be read or used."""

    exit_code = Exit.USAGE


class ModelUnusable(NodeError):
    """No model is there, or none that can run."""

    def __init__(self, message: str, code: Exit) -> None:
        super().__init__(message)
        self.exit_code = code


def create_home(
    path: Path,
    *,
    name: str | None,
    listen: str,
    model: str | None,
    organization: str | None,
    membership: dict[str, Any] | None = None,
) -> Member:
    """Make a home: identity, settings and member card. Nothing is written before everything was checked.

    Args:
        path: the directory; made if it is not there.
        name: what people call the node; by default the directory's name, or the machine's if that is hidden.
        listen: host:port, which peers are told too.
        model: path of a GGUF file, "reference:NAME" or the address of a server; by default a reference model.
        organization: by default the node stands for itself.
        membership: the settings of that section.
    Raises:
        NodeError: there is a node already, or one of the values cannot work.
    """
    listen = str(parse_address(listen))
    model = check_model(model or settings.ModelSection().file)
    home = Home.create(path)
    name = _default_name(path) if name is None else name
    sections = {"node": {"name": name, "listen": listen}, "model": {"file": model}, "membership": membership or {}}
    settings.write_default(home.settings, **sections)
    keypair = identity.create(home.identity)
    member = Member(keypair.node, name, organization or name, 1, listen)
    write_new(path / CARD_NAME, _card(member))
    return member


def check_place(path: Path, listen: str) -> None:
    """See that a home can be made there, before something that takes long and would then be for nothing.

    Raises:
        NodeError: there is a node already, or nothing can be made there, or it cannot listen so.
    """
    parse_address(listen)
    Home.create(path)


def _default_name(path: Path) -> str:
    """The directory's name; for a hidden one, which is called alike on every machine, the machine's."""
    return path.name if not path.name.startswith(".") else platform.node().partition(".")[0] or "node"


def check_model(model: str) -> str:
    """The model's name, address or absolute path, if it is one that can be tried.

    Raises:
        ModelUnusable: there is no such file or reference model, or it is not GGUF.
    """
    if is_remote(model):
        return model  # the settings check how it is written; whether the server is there shows when it is asked
    try:
        if model.startswith(settings.REFERENCE):
            gguf_header.check(reference.path(model.removeprefix(settings.REFERENCE)))
            return model
        path = Path(model).expanduser().absolute()
        gguf_header.check(path)
        return str(path)
    except KeyError as error:
        raise ModelUnusable(str(error.args[0]), Exit.MODEL_MISSING) from None
    except ModelFileMissing as error:
        raise ModelUnusable(str(error), Exit.MODEL_MISSING) from None
    except ModelFileInvalid as error:
        raise ModelUnusable(str(error), Exit.MODEL_INVALID) from None


def found(name: str, created_ms: int, members: Sequence[Member], **rules: Any) -> Genesis:
    """Make a genesis. `rules` are the charter's fields; those not given have defaults.

    Raises:
        GenesisInvalid: the roster or the rules cannot work; the message lists every problem.
    """
    try:
        return Genesis.found(name, created_ms, members, **rules)
    except GenesisError as error:
        raise GenesisInvalid(str(error)) from error


def read_card(path: Path) -> Member:
    """Read a member card: the file, or the home that it lies in.

    Raises:
        CardInvalid: it cannot be read or is no card.
    """
    place = path / CARD_NAME if path.is_dir() else path
    try:
        data = place.read_bytes()
        if len(data) > CARD_SIZE_MAX:
            raise CardInvalid(f"{place}: {len(data)} bytes are no member card")
        return member_of_card(json.loads(data))
    except OSError as error:
        raise CardInvalid(f"{place}: {error.strerror}; a card is made by moot init") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise CardInvalid(f"{place}: not a member card, as moot init makes it ({error})") from error


def member_of_card(card: Any) -> Member:
    """The member that a card is of.

    Raises:
        ValueError, KeyError, TypeError: it is no card.
    """
    if card["format"] != CARD_FORMAT or len(card) != 5:
        raise ValueError("of another format")
    fields = [card["node"], card["name"], card["organization"], card["address"]]
    if not all(isinstance(field, str) for field in fields):
        raise ValueError("a field that is not text")
    return Member(bytes.fromhex(card["node"]), card["name"], card["organization"], 1, card["address"])


def read_genesis(path: Path) -> Genesis:
    """Read a genesis document.

    Raises:
        GenesisInvalid: it cannot be read or cannot found a moot.
    """
    try:
        with path.open("rb") as file:
            return Genesis.from_json(file.read(SIZE_MAX + 1))
    except OSError as error:
        raise GenesisInvalid(
            f"{path}: cannot read the genesis ({error.strerror}); found a moot: moot found, or join one: moot join FILE"
        ) from error
    except GenesisError as error:
        raise GenesisInvalid(f"{path}: {error}") from error


def join(home: Home, genesis: Genesis) -> bool:
    """Put the genesis into a home. Joining the same moot again changes nothing.

    Returns:
        Whether this node is in the genesis's roster. If not, it follows once the members have added it.
    Raises:
        HomeExists: the home is in another moot.
    """
    is_founder = identity.load(home.identity).node in genesis.roster.nodes
    if home.genesis.exists():
        if read_genesis(home.genesis).moot_id == genesis.moot_id:
            return is_founder
        raise HomeExists(f"{home.path}: this node is in another moot already; make another home for this one")
    write_new(home.genesis, genesis.to_json())
    return is_founder


def card_of(member: Member) -> dict[str, str]:
    return {
        "format": CARD_FORMAT,
        "node": member.node.hex(),
        "name": member.name,
        "organization": member.organization,
        "address": member.address,
    }


def _card(member: Member) -> bytes:
    return (json.dumps(card_of(member), indent=2, ensure_ascii=False) + "\n").encode()


def write_new(path: Path, data: bytes) -> None:
    """Whole or not at all, and never over another file."""
    partial = path.with_name(f"{path.name}.partial")
    try:
        with partial.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.link(partial, path)
    except FileExistsError:
        raise HomeExists(f"{path}: there is a file already, and it is not overwritten") from None
    except OSError as error:
        raise NodeError(f"{path}: cannot be written: {error.strerror}") from error
    finally:
        partial.unlink(missing_ok=True)

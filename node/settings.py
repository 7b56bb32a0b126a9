"""A node's settings: one TOML file, checked as a whole before anything starts. Every field says what it is for."""

import os
import tomllib
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from node.errors import ConfigError
from node.membership.settings import MembershipSettings
from node.model.engine import PARALLEL_MAX
from node.model.reference import NAMES
from node.model.remote.address import ServerAddress, is_remote
from node.settings_problems import nearest, problems_of
from node.settings_text import render
from node.transport.address import split_address

REFERENCE = "reference:"
"""Before the name of a model that comes with the package, in place of a path."""
NAME_LENGTH_MAX = 64
ADAPTERS_MAX = 16


def _listening(text: str) -> str:
    split_address(text)
    return text


def _reachable(text: str) -> str:
    split_address(text, port_min=1)
    return text


def _name(text: str) -> str:
    if not 0 < len(text) <= NAME_LENGTH_MAX or not text.isprintable() or text != text.strip():
        raise ValueError(f"must be 1 to {NAME_LENGTH_MAX} printable characters, without spaces around them")
    return text


def _key(text: str) -> str:
    if len(text) != 64 or any(digit not in "0123456789abcdef" for digit in text):
        raise ValueError("must be a public key: 64 hex digits in small letters")
    return text


def _model_file(text: str) -> str:
    name = text.removeprefix(REFERENCE)
    if not name or not text.isprintable():
        raise ValueError(f'must be the path of a GGUF file, or "{REFERENCE}NAME" for a model of the package')
    if is_remote(text):
        ServerAddress.read(text)
    if text.startswith("hf:"):
        raise ValueError(
            "must be a file that is here already; moot init --model hf:… downloads one and writes its path"
        )
    if name != text and name not in NAMES:
        raise ValueError(f"no model of the package has this name; there are {', '.join(NAMES)}")
    return text


def _adapter_file(text: str) -> str:
    if not text or not text.isprintable():
        raise ValueError("must be the path of a GGUF file")
    return text


def _setting(default: Any, doc: str, unit: str = "", example: str | int = "", **limits: Any) -> Any:
    """A field that carries its documentation into the file that `write_default` writes."""
    return Field(default, description=doc, json_schema_extra={"unit": unit, "example": example}, **limits)


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class NodeSection(_Section):
    """Who this node is to its own people, and where others reach it."""

    name: Annotated[str, AfterValidator(_name)] = _setting(
        "node", "What people call this node; its identity is its key."
    )
    listen: Annotated[str, AfterValidator(_listening)] = _setting(
        "127.0.0.1:7400",
        "Where peers connect. Nothing is encrypted between nodes, so only an address of this machine alone is taken.",
        "host:port",
    )
    advertise: Annotated[str, AfterValidator(_reachable)] | None = _setting(
        None,
        "The address that peers are told, where it differs from the one above, such as behind a forwarded port.",
        "host:port",
        "127.0.0.1:7410",
    )
    log_level: Literal["debug", "info", "warning", "error"] = _setting("info", "The least important events to log.")


class ModelSection(_Section):
    """The local language model."""

    file: Annotated[str, AfterValidator(_model_file)] = _setting(
        "reference:sage",
        f'A GGUF file, "{REFERENCE}NAME" for a model of the package, or "http://127.0.0.1:8080/v1#NAME" for one that a'
        " server runs. A relative path starts where this file is.",
    )
    threads: int = _setting(1, "Threads of a forward pass. One is fastest for small models.", "threads", ge=1, le=512)
    temperature: float = _setting(
        0.7,
        "How freely answers are sampled; 0 gives the same answer every time.",
        "0 to 5",
        ge=0,
        le=5,
        allow_inf_nan=False,
    )
    tokens_max: int = _setting(128, "The longest answer.", "tokens", ge=1, le=4_096)
    context_length: int | None = _setting(
        None,
        "Prompt and answer together; without it what the model was made for, up to 2048.",
        "tokens",
        1_024,
        ge=16,
        le=1_048_576,
    )
    timeout_ms: int = _setting(
        60_000,
        "An answer that takes longer is given up. A model that shows no sign of life for so long is started again.",
        "milliseconds",
        ge=100,
        le=3_600_000,
    )
    parallel: int = _setting(
        32, "Texts that are generated at once; further ones wait for their turn.", "texts", ge=1, le=PARALLEL_MAX
    )
    queue_max: int = _setting(
        64, "Requests that may wait or be under way; one more is refused.", "requests", ge=1, le=1_024
    )
    cache_mib: int = _setting(
        256, "Memory for texts under way and for earlier prompts that may come again.", "MiB", ge=1, le=1_048_576
    )
    gpu_layers: int = _setting(
        0, "Layers that run on a graphics processor, if llama.cpp was built for one.", "layers", ge=0, le=10_000
    )
    adapters: Annotated[tuple[Annotated[str, AfterValidator(_adapter_file)], ...], Field(strict=False)] = _setting(
        (),
        "LoRA adapters that change the model, all of them for every answer. A relative path starts where this file is.",
        "list of GGUF files",
        max_length=ADAPTERS_MAX,
    )


class MembershipSection(_Section):
    """How members find each other and notice who is gone."""

    profile: Literal["local", "lan", "wan"] = _setting(
        "lan", "local: several nodes on one machine. lan: one building. wan: several continents, slower and gentler."
    )
    seeds: Annotated[tuple[Annotated[str, AfterValidator(_reachable)], ...], Field(strict=False)] = _setting(
        (), "Peers to reach first, beside those in the genesis document and those met before.", "list of host:port"
    )
    revokers: Annotated[tuple[Annotated[str, AfterValidator(_key)], ...], Field(strict=False)] = _setting(
        (),
        "Whose lists of revoked keys this node heeds: their public keys. Anybody may revoke its own key.",
        "list of 64 hex digits",
    )
    overrides: dict[str, int] = _setting(
        {}, "Single numbers of the profile to change, for example probe_interval_ms = 2000."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        known = MembershipSettings.__dataclass_fields__
        unknown = [f"overrides.{key}: unknown; {nearest(key, known)}" for key in self.overrides if key not in known]
        if unknown:
            raise ValueError("\n".join(unknown))
        self.settings()
        return self

    def settings(self) -> MembershipSettings:
        """The profile's numbers with the overrides."""
        profile = {"local": MembershipSettings.local, "lan": MembershipSettings.lan, "wan": MembershipSettings.wan}
        return profile[self.profile](**self.overrides)


class VotingSection(_Section):
    """Timers of federated voting. They decide how soon a lost message is noticed, never what is decided."""

    timer_base_ms: int = _setting(250, "The first round's time.", "milliseconds", ge=10, le=60_000)
    timer_step_ms: int = _setting(250, "Each further round gets this much more.", "milliseconds", ge=1, le=60_000)
    timer_cap_ms: int = _setting(30_000, "No round gets more.", "milliseconds", ge=10, le=600_000)
    rebroadcast_ms: int = _setting(
        2_000,
        "Our newest statements are sent again this often while a slot is open.",
        "milliseconds",
        ge=100,
        le=600_000,
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.timer_base_ms > self.timer_cap_ms:
            raise ValueError(
                f"timer_base_ms = {self.timer_base_ms}: must not exceed timer_cap_ms ({self.timer_cap_ms}); lower it"
            )
        return self


class LimitsSection(_Section):
    """What one peer may cost this node. Above it a peer's messages wait or are dropped, and it is told so."""

    messages_per_s: int = _setting(500, "From one peer, lasting.", "messages per second", ge=1, le=1_000_000)
    bytes_per_s: int = _setting(
        8 * 1024 * 1024, "From one peer, lasting.", "bytes per second", ge=1_024, le=10 * 1024 * 1024 * 1024
    )


class Settings(_Section):
    """The whole file."""

    version: Literal[1] = Field(description="The layout of this file; a later program knows by it what to make of it.")
    node: NodeSection = NodeSection()
    model: ModelSection = ModelSection()
    membership: MembershipSection = MembershipSection()
    voting: VotingSection = VotingSection()
    limits: LimitsSection = LimitsSection()


def load(path: Path) -> Settings:
    """Read and check a settings file. A relative model path comes back absolute.

    Raises:
        ConfigError: it cannot be read or cannot work; the message lists every problem, and what to do about each.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(str(path), [f"cannot be read: {error.strerror}; moot init writes one"]) from error
    except UnicodeDecodeError as error:
        raise ConfigError(str(path), [f"not UTF-8 text (byte {error.start}); save it as UTF-8"]) from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(str(path), [f"not TOML: {error}"]) from error
    return _from_base(_checked(str(path), data), path.parent)


def write_default(path: Path, **sections: dict[str, Any]) -> Settings:
    """Write a new commented file of all settings: defaults, but for what is given, such as node={"name": "ada"}.

    Raises:
        ConfigError: the values cannot work, there is a file already, or the disk refuses.
    """
    settings = _checked(str(path), {"version": 1, **sections})
    try:
        with open(path, "x", encoding="utf-8", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            file.write(render(settings))
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError as error:
        raise ConfigError(str(path), ["there is a file already, and it is not overwritten"]) from error
    except OSError as error:
        with suppress(OSError):
            path.unlink(missing_ok=True)  # Half a file would look like settings.
        raise ConfigError(str(path), [f"cannot be written: {error.strerror}"]) from error
    return _from_base(settings, path.parent)


def _checked(source: str, data: dict[str, Any]) -> Settings:
    try:
        return Settings.model_validate(data)
    except ValidationError as error:
        raise ConfigError(source, problems_of(error, Settings)) from error


def _from_base(settings: Settings, base: Path) -> Settings:
    def absolute(file: str) -> str:
        return str(base.absolute() / Path(file).expanduser())

    model = settings.model
    named = model.file.startswith(REFERENCE) or is_remote(model.file)
    files = {"file": model.file if named else absolute(model.file), "adapters": tuple(map(absolute, model.adapters))}
    return settings.model_copy(update={"model": model.model_copy(update=files)})

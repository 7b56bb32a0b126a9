"""What can go wrong with a local model, as a person should read it.

ModelError
├── ModelFileMissing     no readable file there
├── ModelFileInvalid     not a model that llama.cpp can run
├── ModelTooLarge        more than this machine has free
├── ModelLibraryMissing  llama-cpp-python cannot be imported
├── AbilityMissing       this model, or what runs it, cannot do that
├── GrammarInvalid       no grammar that can be followed
├── AdapterInvalid       not a LoRA adapter for this model
├── PromptTooLong        the request does not fit; shorten it
├── ModelBusy            too many requests wait
├── ModelTimeout         no answer in time
├── ModelDied            the process ended, or is being started again
├── AdapterUnknown       no such adapter was added
└── ModelFailed          llama.cpp reported an error and lives on

Each takes plain values, so that it can cross from the model's process to the node's and be raised there.
"""


class ModelError(Exception):
    """The model cannot answer. The message says why and what to do."""

    fields: tuple[str | int, ...] = ()


class ModelFileMissing(ModelError):
    """There is no readable file."""

    def __init__(self, path: str, reason: str = "no such file") -> None:
        self.fields = (path, reason)
        super().__init__(f"{path}: cannot read the model: {reason}; check the path and its permissions")


class ModelFileInvalid(ModelError):
    """The file is there, but is no model that llama.cpp can run."""

    def __init__(self, path: str, problem: str) -> None:
        self.fields = (path, problem)
        super().__init__(f"{path}: not a usable model: {problem}")


class ModelTooLarge(ModelError):
    """The model needs more memory than is free; the system would end its process."""

    def __init__(self, path: str, needed: int, free: int) -> None:
        self.fields = (path, needed, free)
        super().__init__(
            f"{path}: needs about {needed / 2**30:.1f} GiB, {free / 2**30:.1f} GiB are free; "
            "choose a smaller quantization or lower cache_mib"
        )


class ModelLibraryMissing(ModelError):
    """llama-cpp-python is not there or does not load."""

    def __init__(self, reason: str) -> None:
        self.fields = (reason,)
        super().__init__(f"llama.cpp cannot be loaded: {reason}; install it with: pip install llama-cpp-python")


class AbilityMissing(ModelError):
    """The model, or what runs it, cannot do what is asked."""

    def __init__(self, ability: str, reason: str) -> None:
        self.fields = (ability, reason)
        super().__init__(f"this model cannot {ability}: {reason}")


class GrammarInvalid(ModelError):
    """The grammar cannot be read, or cannot be followed within bounds."""

    def __init__(self, problem: str) -> None:
        self.fields = (problem,)
        super().__init__(f"the grammar cannot be used: {problem}")


class AdapterInvalid(ModelError):
    """The file is there, but is no LoRA adapter for this model."""

    def __init__(self, path: str, problem: str) -> None:
        self.fields = (path, problem)
        super().__init__(f"{path}: not an adapter for this model: {problem}")


class PromptTooLong(ModelError):
    """The prompt leaves no room for an answer."""

    def __init__(self, length: int, length_max: int, unit: str = "tokens") -> None:
        self.fields = (length, length_max, unit)
        super().__init__(
            f"the prompt has {length} {unit}; at most {length_max} fit: shorten it or raise context_length"
        )


class ModelBusy(ModelError):
    """As many requests wait as may."""

    def __init__(self, waiting: int, why: str = "") -> None:
        self.fields = (waiting, why)
        also = f", {why}" if why else ""
        super().__init__(f"{waiting} requests already wait for the model{also}; ask again later or raise queue_max")


class ModelTimeout(ModelError):
    """The model did not answer in time."""

    def __init__(self, what: str, timeout_ms: int) -> None:
        self.fields = (what, timeout_ms)
        super().__init__(f"{what} took longer than {timeout_ms} ms")


class ModelDied(ModelError):
    """The model's process ended, or has ended and is not up again yet."""

    def __init__(self, reason: str) -> None:
        self.fields = (reason,)
        super().__init__(f"the model's process {reason}")


class AdapterUnknown(ModelError):
    """A request names an adapter that was not added."""

    def __init__(self, digest: str) -> None:
        self.fields = (digest,)
        super().__init__(f"there is no adapter {digest:.16}…; add its file first")


class ModelFailed(ModelError):
    """llama.cpp could not carry the request out."""

    def __init__(self, reason: str) -> None:
        self.fields = (reason,)
        super().__init__(reason)


BY_NAME: dict[str, type[ModelError]] = {
    kind.__name__: kind
    for kind in (
        ModelFileMissing,
        ModelFileInvalid,
        ModelTooLarge,
        ModelLibraryMissing,
        AbilityMissing,
        GrammarInvalid,
        AdapterInvalid,
        PromptTooLong,
        ModelBusy,
        ModelTimeout,
        ModelDied,
        AdapterUnknown,
        ModelFailed,
    )
}

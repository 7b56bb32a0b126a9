"""The character vocabulary that training and llama.cpp share, and the text of a question as a model reads it."""

from coordinator import prompts
from coordinator.answers import question_line
from node.lab.skills.task import Task

CONTEXT_LENGTH = 384  # of every reference model: room for a question, its peers' answers and a reply
UNKNOWN, START, END = 0, 1, 2
SPACE = "\u2581"  # how SentencePiece vocabularies write a space

# Every printable character is a token; bytes beyond ASCII have one each so that no text can fail to tokenize.
CHARACTERS = "\n" + "".join(map(chr, range(32, 127)))
BYTES = tuple(byte for byte in range(256) if chr(byte) not in CHARACTERS)

PIECES: tuple[str, ...] = (
    "<unk>",
    "<s>",
    "</s>",
    *(SPACE if character == " " else character for character in CHARACTERS),
    *(f"<0x{byte:02X}>" for byte in BYTES),
)
_CHARACTER_AT = 3
BYTE_AT = _CHARACTER_AT + len(CHARACTERS)
_ID = {character: _CHARACTER_AT + i for i, character in enumerate(CHARACTERS)}
_BYTE_ID = {byte: BYTE_AT + i for i, byte in enumerate(BYTES)}


def encode(text: str) -> list[int]:
    """Token ids without the start token."""
    ids: list[int] = []
    for character in text:
        token = _ID.get(character)
        ids.extend((token,) if token is not None else (_BYTE_ID[byte] for byte in character.encode()))
    return ids


def decode(ids: list[int]) -> str:
    """Text of character tokens; any other token is left out."""
    return "".join(CHARACTERS[i - _CHARACTER_AT] for i in ids if _CHARACTER_AT <= i < BYTE_AT)


def prompt(task: Task) -> str:
    """What the model is given: the question, its options if it is a choice, and a line end."""
    return prompts.answer(question_line(task.text, task.options))

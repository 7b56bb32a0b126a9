"""A stand-in for the model's process that does what each request's prompt tells it, over the real pipes.

say WORD       answer WORD for each sample
stream A B C   send the pieces A, B and C of sample 0, then the whole
pieces N       send N pieces, whatever was asked
hold           answer when a `release` comes; until then say every 20 ms that the process lives
release        answer `hold`s, oldest first, then this
hang           nothing, ever again
die            write to stderr, and end by SIGABRT
oom            what Python does when memory runs out
garbage        bytes that are no frame
wrong          an answer of another shape
refuse         GrammarInvalid
"""

import os
import select
import signal
import sys
import time
from pathlib import Path
from typing import Any

from node.model.engine import Ability, AdapterInfo, ModelInfo
from node.model.errors import AdapterInvalid, GrammarInvalid
from node.model.pipe import answered, asked
from node.model.pipe.asked import Request
from node.model.pipe.counts import Counts
from node.model.pipe.frames import Message, Splitter, pack
from node.model.requests import EmbedRequest, GenerateRequest, NextRequest, ScoreRequest
from node.model.results import Account, Embedded, End, Generated, NextToken, NextTokens, Score, Scored

TICK_S = 0.02
ACCOUNT = Account(forward_passes=3, prompt_tokens=2, generated_tokens=4, decoded_tokens=5, waited_us=6, model_us=7)
INFO = ModelInfo("fake", "none", 0, 128, bytes(32), 0, frozenset(Ability), (), 8)


def answer(request: Request, word: str) -> answered.Result:
    match request:
        case GenerateRequest():
            count = request.samples
            logprobs = (-1.5,) * count if request.likelihood else ()
            return Generated((word,) * count, (End.STOP,) * count, ACCOUNT, logprobs, (4,) * count)
        case ScoreRequest():
            score = Score(-2.0, 3, -4.0 if request.calibrated else None)
            return Scored((score,) * len(request.continuations), ACCOUNT)
        case NextRequest():
            return NextTokens((NextToken(5, b"\xff\x00", -0.5, False), NextToken(2, b"", -1.0, True)), ACCOUNT)
        case EmbedRequest():
            return Embedded(((0.6, 0.8),) * len(request.texts), ACCOUNT)


class Fake:
    def __init__(self) -> None:
        self.held: list[tuple[int, Request]] = []
        self.order: list[str] = []
        self.given_up = self.served = 0
        self.adapters: dict[str, Path] = {}

    def send(self, message: Message) -> None:
        os.write(1, pack(message))

    def reply(self, number: int, request: Request, word: str) -> None:
        self.served += 1
        self.send(answered.result_message(number, answer(request, word)))

    def take(self, message: Message) -> None:
        if "cancel" in message:
            self.held = [(number, request) for number, request in self.held if number != message["cancel"]]
            self.given_up += 1
            return
        number = message["id"]
        match message["ask"]:
            case "add":
                self.add(number, Path(message["path"]))
            case "drop":
                self.adapters.pop(message["digest"], None)
                self.send(answered.done_message(number))
            case "counts":
                counts = Counts(self.served, self.given_up, waiting=len(self.held), running=len(self.adapters))
                self.send(answered.counts_message(counts, number))
            case _:
                request, streams = asked.read_request(message)
                words = request.prompt.split() if not isinstance(request, EmbedRequest) else ["say"]
                self.do(number, request, words[0], words[1:], streams)

    def add(self, number: int, path: Path) -> None:
        content = path.read_bytes()
        if content.startswith(b"die"):
            os.abort()
        if len(content) != 32:
            self.send(answered.error_message(AdapterInvalid(str(path), "it has not 32 bytes"), number))
            return
        self.adapters[content.hex()] = path
        self.send(answered.adapter_message(number, AdapterInfo(content, path.stem, 32)))

    def do(self, number: int, request: Request, verb: str, words: list[str], streams: bool) -> None:
        match verb:
            case "say":
                self.reply(number, request, " ".join(words))
            case "stream":
                assert streams
                for word in words:
                    self.send(answered.pieces_message(number, [(0, word)]))
                self.reply(number, request, "".join(words))
            case "pieces":
                self.send(answered.pieces_message(number, [(0, "x")] * int(words[0])))
            case "hold":
                self.held.append((number, request))
            case "release":
                for held, asked_for in self.held:
                    self.reply(held, asked_for, "held")
                self.held.clear()
                self.reply(number, request, "released")
            case "hang":
                time.sleep(3600)
            case "die":
                print("assertion failed: or so", file=sys.stderr, flush=True)
                os.kill(os.getpid(), signal.SIGABRT)
            case "oom":
                raise MemoryError
            case "garbage":
                os.write(1, b"Segmentation fault, or so")
                time.sleep(3600)
            case "wrong":
                self.send({"id": number, "account": [0] * 7, "result": wrong(words[0])})
            case "refuse":
                self.send(answered.error_message(GrammarInvalid("no"), number))


def wrong(what: str) -> Any:
    return {
        "shape": 1,
        "count": [["a"], ["model"], [1], []],
        "surrogate": [["\ud800"] * 5, ["model"] * 5, [1] * 5, []],
        "negative": [["a"] * 5, ["model"] * 5, [-1] * 5, []],
        "end": [["a"] * 5, ["tired"] * 5, [1] * 5, []],
    }[what]


def main() -> None:
    fake = Fake()
    fake.send(answered.ready_message(INFO))
    splitter = Splitter()
    while True:
        ready, _, _ = select.select([0], [], [], TICK_S if fake.held else None)
        if not ready:
            fake.send(answered.counts_message(Counts(waiting=len(fake.held))))
            continue
        data = os.read(0, 1 << 16)
        if not data:
            break
        for message in splitter.feed(data):
            fake.take(message)


if __name__ == "__main__":
    main()

"""llama-cpp-python's own server as a contender: its process, asked over HTTP by one thread per caller."""

import asyncio
import contextlib
import http.client
import importlib.util
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from node.lab.bench.engine.contenders import NICENESS, TOKENS, WAITING, Run, full
from node.lab.bench.engine.load import memory_bytes
from node.lab.bench.engine.subjects import Subject

HOST = "127.0.0.1"
START_S_MAX, ANSWER_S_MAX = 600.0, 600.0
_NEEDED = ("fastapi", "uvicorn", "sse_starlette", "starlette_context", "pydantic_settings")


def missing() -> str | None:
    """What is not installed of what the server needs; None if it can run."""
    absent = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    return f"{', '.join(absent)}: install them with: deploy/setup.sh bench" if absent else None


class Server:
    """As fast as its settings make it: no log-probabilities kept, and no answer broken off for the next question."""

    name, at_once = "llama_cpp.server", False

    def __init__(self, subject: Subject, process: subprocess.Popen[bytes], port: int) -> None:
        self._subject, self._process, self._port = subject, process, port

    @classmethod
    async def open(cls, subject: Subject) -> "Server":
        port = _free_port()
        options = {
            "model": str(subject.path),
            "host": HOST,
            "port": port,
            "n_ctx": subject.context_length,
            "n_threads": subject.threads,
            "n_threads_batch": subject.threads,
            "logits_all": False,
            "interrupt_requests": False,
            "verbose": False,
        }
        words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
        log = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the process
        process = subprocess.Popen(  # noqa: ASYNC220 - returns at once
            ["/usr/bin/env", "nice", "-n", str(NICENESS), sys.executable, "-m", "llama_cpp.server", *words],
            stdout=log,
            stderr=log,
            env=os.environ | WAITING,
        )
        server = cls(subject, process, port)
        until = time.monotonic() + START_S_MAX
        while not await asyncio.to_thread(server._is_up):
            if process.poll() is not None or time.monotonic() > until:
                log.seek(0)
                said = log.read().decode("utf-8", "replace")[-2_000:]
                await server.close()
                raise RuntimeError(f"llama_cpp.server does not start; it said: {said}")
            await asyncio.sleep(0.1)
        return server

    def _is_up(self) -> bool:
        with contextlib.suppress(OSError):
            connection = http.client.HTTPConnection(HOST, self._port, timeout=5)
            connection.request("GET", "/v1/models")
            return connection.getresponse().status == http.HTTPStatus.OK
        return False

    async def run(self, callers: int, prompts: Sequence[str]) -> Run:
        return await asyncio.to_thread(self._run, callers, [self._subject.rendered(prompt) for prompt in prompts])

    def _run(self, callers: int, prompts: list[str]) -> Run:
        left, lock = list(reversed(prompts)), threading.Lock()

        def call(_: int) -> tuple[int, list[float]]:
            tokens = 0
            waits: list[float] = []
            connection = http.client.HTTPConnection(HOST, self._port, timeout=ANSWER_S_MAX)
            while True:
                with lock:
                    if not left:
                        connection.close()
                        return tokens, waits
                    prompt = left.pop()
                asked = time.perf_counter()
                tokens += self._ask(connection, prompt, TOKENS)["completion_tokens"]
                waits.append(time.perf_counter() - asked)

        began = time.perf_counter()
        with ThreadPoolExecutor(callers) as threads:
            found = list(threads.map(call, range(callers)))
        seconds = time.perf_counter() - began
        tokens = sum(count for count, _ in found)
        return Run(full(self.name, tokens, len(prompts)), seconds, tuple(wait for _, waits in found for wait in waits))

    def _ask(self, connection: http.client.HTTPConnection, prompt: str, tokens: int) -> dict[str, int]:
        body = {
            "prompt": prompt,
            "max_tokens": tokens,
            "temperature": 1.0,
            "top_p": 1.0,
            "top_k": 0,
            "min_p": 0.0,
            "repeat_penalty": 1.0,
        }
        connection.request("POST", "/v1/completions", json.dumps(body), {"Content-Type": "application/json"})
        response = connection.getresponse()
        answer: dict[str, Any] = json.loads(response.read())
        if response.status != http.HTTPStatus.OK:
            raise RuntimeError(f"{self.name} answers with status {response.status}: {answer}")
        usage: dict[str, int] = answer["usage"]
        return usage

    async def prompt_tokens(self, prompt: str) -> int:
        connection = http.client.HTTPConnection(HOST, self._port, timeout=ANSWER_S_MAX)
        usage = await asyncio.to_thread(self._ask, connection, self._subject.rendered(prompt), 1)
        connection.close()
        return usage["prompt_tokens"]

    def memory(self) -> int | None:
        return memory_bytes(self._process.pid)

    async def close(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
        await asyncio.to_thread(self._process.wait)


def _free_port() -> int:
    with socket.socket() as held:
        held.bind((HOST, 0))
        port: int = held.getsockname()[1]
        return port

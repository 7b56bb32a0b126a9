"""A hub of models on this machine, with a second server that stores its files, and faults to be played in turn."""

import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

COMMIT = "0123456789abcdef0123456789abcdef01234567"
NAME = "hf:ada/tiny/q4/tiny.gguf"
PATH = "/ada/tiny/resolve/{revision}/q4/tiny.gguf"


@dataclass
class Asked:
    server: str
    method: str
    path: str
    headers: dict[str, str]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 20

    def __init__(self, hub: "FakeHub", server: str, *arguments: object) -> None:
        self.hub, self.server_name = hub, server
        super().__init__(*arguments)  # type: ignore[arg-type]

    def log_message(self, *arguments: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self._do()

    def do_GET(self) -> None:
        self._do()

    def _do(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.hub.asked.append(Asked(self.server_name, self.command, self.path, headers))
        if self.server_name == "hub" and self.hub.hub_faults:
            self.hub.hub_faults.pop(0)(self)
        elif self.server_name == "hub":
            self.hub.as_hub(self)
        elif self.hub.storage_faults:
            self.hub.storage_faults.pop(0)(self)
        else:
            self.send_file()

    def answer(self, status: int, headers: dict[str, str] | None = None, body: bytes = b"") -> None:
        self.send_response(status)
        for name, value in ({"content-length": str(len(body))} | (headers or {})).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    @property
    def start(self) -> int:
        """Where the asked range begins."""
        return int(self.headers.get("range", "bytes=0-").removeprefix("bytes=").removesuffix("-"))

    def send_file(self, length: int | None = None) -> None:
        """The file from `start` on; cut off after `length` bytes."""
        content, start = self.hub.content, self.start
        headers = {"content-length": str(len(content) - start), "accept-ranges": "bytes"}
        if start:
            headers["content-range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        self.send_response(206 if start else 200)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content[start:] if length is None else content[start : start + length])
        if length is not None:
            self.close_connection = True


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        pass  # who asked has gone: that is what is tested


Fault = Callable[[Handler], None]


@dataclass
class FakeHub:
    """Serves one file, as the Hugging Face Hub does: facts from the hub, and a redirect to where the bytes are."""

    content: bytes
    commit: str = COMMIT
    hub_faults: list[Fault] = field(default_factory=list)
    """Each is played for one request, in order; then all is well."""
    storage_faults: list[Fault] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    facts: dict[str, str | None] = field(default_factory=dict)
    """Headers to be given otherwise than is true; None leaves one out."""
    url: str = ""
    storage_url: str = ""
    released: threading.Event = field(default_factory=threading.Event)
    """Set at the end: who hangs may go."""

    def headers(self) -> dict[str, str]:
        true = {
            "x-repo-commit": self.commit,
            "x-linked-size": str(len(self.content)),
            "x-linked-etag": f'"{hashlib.sha256(self.content).hexdigest()}"',
        }
        return {name: value for name, value in (true | self.facts).items() if value is not None}

    def as_hub(self, handler: Handler) -> None:
        path = unquote(handler.path)
        if path in (PATH.format(revision=revision) for revision in ("main", "refs/pr/1", self.commit)):
            handler.answer(302, self.headers() | {"location": f"{self.storage_url}/blob?signature=x"}, b"moved")
        elif path.startswith("/ada/tiny/"):
            handler.answer(404, {"x-error-code": "EntryNotFound"})
        else:
            handler.answer(401, {"x-error-code": "RepoNotFound"}, json.dumps({"error": "Invalid username"}).encode())

    def of(self, server: str, method: str = "GET") -> list[Asked]:
        return [asked for asked in self.asked if (asked.server, asked.method) == (server, method)]

    @contextmanager
    def running(self) -> Iterator["FakeHub"]:
        servers = [Server(("127.0.0.1", 0), partial(Handler, self, name)) for name in ("hub", "storage")]
        self.url, self.storage_url = (f"http://127.0.0.1:{server.server_port}" for server in servers)
        threads = [threading.Thread(target=server.serve_forever, args=(0.05,)) for server in servers]
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            self.released.set()
            for server, thread in zip(servers, threads, strict=True):
                server.shutdown()
                thread.join()
                server.server_close()


def status(code: int, **headers: str) -> Fault:
    return lambda handler: handler.answer(code, {name.replace("_", "-"): value for name, value in headers.items()})


def drops_after(length: int) -> Fault:
    return lambda handler: handler.send_file(length)


def hangs(handler: Handler) -> None:
    handler.hub.released.wait(30)
    handler.close_connection = True


def hangs_after(length: int) -> Fault:
    def fault(handler: Handler) -> None:
        handler.send_file(length)
        handler.wfile.flush()
        hangs(handler)

    return fault


def drips(handler: Handler) -> None:
    """One byte now and then, so that no single wait is long."""
    handler.answer(200, {"content-length": str(len(handler.hub.content))})
    for byte in handler.hub.content:
        if handler.hub.released.wait(0.02):
            break
        try:
            handler.wfile.write(bytes([byte]))
            handler.wfile.flush()
        except OSError:
            break
    handler.close_connection = True


def sends_chunked(body: bytes) -> Fault:
    """Without saying how long it is."""

    def fault(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("transfer-encoding", "chunked")
        handler.end_headers()
        handler.wfile.write(b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body))

    return fault


def sends_all_of_it(handler: Handler) -> None:
    """Whatever range was asked for."""
    handler.answer(200, body=handler.hub.content)


def sends_another_part(handler: Handler) -> None:
    content = handler.hub.content
    handler.answer(206, {"content-range": f"bytes 1-{len(content) - 1}/{len(content)}"}, content[1:])

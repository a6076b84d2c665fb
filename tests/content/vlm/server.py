"""A chat-completions server on this machine that misbehaves on demand."""

import json
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.local_server import listening

Play = Callable[["Handler"], None]
"""What the server does with one request."""
SOON = {"retry-after-ms": "1"}


@dataclass
class Server:
    """What the server saw, and what it is to do.

    Attributes:
        address: where its API begins.
        plays: by the last line of an item's text, what is done with its first request, its second, ...; when they
            are used up, and for other items, the answer is `about <text>`.
        always: what is done with every request instead.
        models: names that it lists; None: it keeps no list.
        asked: the texts asked about, in the order in which they came.
        bodies, headers, paths, times: of the requests, likewise.
        peak: most requests at a time that were being thought about.
    """

    address: str = ""
    plays: dict[str, list[Play]] = field(default_factory=lambda: defaultdict(list))
    always: Play | None = None
    models: list[str] | None = None
    asked: list[str] = field(default_factory=list)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    thinking: int = 0
    peak: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


class Handler(BaseHTTPRequestHandler):
    """One request."""

    chat_server: Server
    text: str
    body: dict[str, Any]

    def do_GET(self) -> None:
        """The list of models, which not every server has."""
        if self.chat_server.models is None:
            says(404, "no such page")(self)
        else:
            gives({"data": [{"id": model} for model in self.chat_server.models]})(self)

    def do_POST(self) -> None:
        server = self.chat_server
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.text, self.body = text_of(body), body
        with server.lock:
            server.asked.append(self.text)
            server.bodies.append(body)
            server.paths.append(self.path)
            server.headers.append({name.lower(): value for name, value in self.headers.items()})
            server.times.append(time.monotonic())
            waiting = server.plays[self.text]
            play = server.always or (waiting.pop(0) if waiting else answers())
        with suppress(BrokenPipeError, ConnectionResetError):  # the client gave up, as it should
            play(self)

    def log_message(self, *_: object) -> None:
        """Say nothing on the terminal."""


def text_of(body: dict[str, Any]) -> str:
    """The last line of the words that were sent."""
    content = body["messages"][0]["content"]
    words = content if isinstance(content, str) else content[-1]["text"]
    return words.splitlines()[-1]


def sends(status: int, body: bytes, *, kind: str = "application/json", cut: int = 0, **headers: str) -> Play:
    """Send these bytes, all but the last `cut` of them."""

    def play(handler: Handler) -> None:
        handler.send_response(status)
        sent = {"Content-Type": kind, "Content-Length": str(len(body)), **headers}
        for name, value in sent.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body[: len(body) - cut])

    return play


def completion(content: str | None, finish_reason: str = "stop", **message: Any) -> dict[str, Any]:
    return {"choices": [{"message": {"content": content, **message}, "finish_reason": finish_reason}]}


def gives(document: Any, **how: Any) -> Play:
    return sends(200, json.dumps(document).encode(), **how)


def answers(seconds: float = 0.0) -> Play:
    """The right answer, after some time."""

    def play(handler: Handler) -> None:
        server = handler.chat_server
        with server.lock:
            server.thinking += 1
            server.peak = max(server.peak, server.thinking)
        time.sleep(seconds)
        with server.lock:
            server.thinking -= 1
        words = f"about {handler.text}"
        gives(completion(words) | {"usage": {"completion_tokens": len(words.split()) + 1}})(handler)

    return play


def says(status: int, message: str, code: str | None = None, **headers: str) -> Play:
    """An error, with the key repeated where the message has a place for it."""

    def play(handler: Handler) -> None:
        key = (handler.headers["Authorization"] or "").removeprefix("Bearer ")
        error = {"message": message.replace("{key}", key), "code": code}
        sends(status, json.dumps({"error": error}).encode(), **headers)(handler)

    return play


@contextmanager
def serving() -> Iterator[Server]:
    """A server on a free port until the block ends."""
    server = Server()
    with listening(type("Bound", (Handler,), {"chat_server": server})) as address:
        server.address = f"{address}/v1"
        yield server

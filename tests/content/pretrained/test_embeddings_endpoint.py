"""A server's embeddings: each text once, in order, resumable, and every way of failing is one line without the key."""

import json
import logging
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from recsys.content.encoders import encode
from recsys.errors import UserError
from tests.content.conftest import item_table
from tests.local_server import listening

NAME, KEY = "embeddings_endpoint", "sk-secret"


def vector(text: str, dim: int = 3) -> list[float]:
    return [float(len(text)), *(float(ord(letter)) for letter in text[-1:]), 1.0][:dim]


def good(body: dict[str, Any]) -> tuple[int, Any]:
    """Out of order, as the protocol allows."""
    rows = [
        {"index": n, "object": "embedding", "embedding": vector(text, body.get("dimensions", 3))}
        for n, text in enumerate(body["input"])
    ]
    return 200, {"object": "list", "model": "m", "data": rows[::-1], "usage": {"prompt_tokens": 1, "total_tokens": 1}}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[SimpleNamespace]:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    told = SimpleNamespace(bodies=[], headers=[], paths=[], play=good)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            told.bodies.append(body)
            told.headers.append(self.headers["Authorization"])
            told.paths.append(self.path)
            status, answer = told.play(body)
            sent = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(sent)))
            self.send_header("retry-after-ms", "1")
            self.end_headers()
            self.wfile.write(sent)

        def log_message(self, *_: object) -> None:
            pass

    with listening(Handler) as address:
        told.options = {"model": "m", "endpoint": {"address": f"{address}/v1", "retries": 1}}
        yield told


def test_each_text_is_asked_about_once_and_in_its_place(server):
    titles = ["木椅", "Alien", None, "Alien", "Notting Hill"]
    found = encode(NAME, server.options | {"batch_size": 2, "prompt": "Query: "}, item_table(5, title=titles))
    assert found.present.tolist() == [True, True, False, True, True]
    np.testing.assert_array_equal(found.matrix[4], vector("Query: Notting Hill"))
    np.testing.assert_array_equal(found.matrix[1], found.matrix[3])
    assert sorted(text for body in server.bodies for text in body["input"]) == [
        *("Query: Alien", "Query: Notting Hill", "Query: 木椅")
    ]
    assert set(server.headers) == {f"Bearer {KEY}"}


def test_shorter_vectors_and_texts(server):
    found = encode(NAME, server.options | {"dimensions": 2, "max_characters": 2}, item_table(1, title=["Alien"]))
    np.testing.assert_array_equal(found.matrix, [vector("Al", 2)])


def test_finished_vectors_are_kept_and_another_address_is_no_other_work(server, tmp_path):
    items = item_table(600, title=[f"film {n}" for n in range(600)])
    asked = server.options | {"batch_size": 64, "endpoint": server.options["endpoint"] | {"concurrency": 8}}
    server.play = lambda body: (500, {}) if len(server.bodies) > 8 else good(body)
    with pytest.raises(UserError, match=r"HTTP 500 .*; run again later: finished vectors are kept$"):
        encode(NAME, asked, items, work=tmp_path)
    server.play = good
    n_before = len(server.bodies)
    elsewhere = asked["endpoint"] | {"address": asked["endpoint"]["address"].replace("127.0.0.1", "localhost")}
    assert encode(NAME, asked | {"endpoint": elsewhere}, items, work=tmp_path).present.all()
    assert sum(len(body["input"]) for body in server.bodies[n_before:]) == 600 - 512


Answer = Callable[[dict[str, Any]], tuple[int, Any]]
FAILURES: list[tuple[Answer, str]] = [
    (lambda body: (401, {"error": {"message": f"bad key {KEY}"}}), "put a valid key into the environment variable"),
    (lambda body: (404, {"error": {"message": "no model m"}}), "fix `model` or `address`"),
    (lambda body: (400, {"error": {"message": "too long"}}), "set `max_characters`"),
    (lambda body: (429, {"error": {"message": "slow down"}}), "run again later"),
    (lambda body: (200, b"<html>hello</html>"), "model 'm': "),
    (lambda body: (200, {"object": "list"}), "model 'm': "),
    (lambda body: (200, {"data": []}), "model 'm': "),
    (lambda body: (200, {"data": good(body)[1]["data"][1:]}), "gives 1 vectors for 2 texts"),
    (lambda body: (200, {"data": [{"index": n, "embedding": [float("nan")]} for n in (0, 1)]}), "not finite"),
    (lambda body: (200, {"data": [{"index": n, "embedding": []} for n in (0, 1)]}), "empty or not finite"),
    (lambda body: (200, {"data": [{"index": n, "embedding": [1.0] * (n + 1)} for n in (0, 1)]}), "of 1 and of 2"),
    (lambda body: (200, {"data": [{"index": n, "embedding": ["x"]} for n in (0, 1)]}), "model 'm': "),
]


@pytest.mark.parametrize(("play", "words"), FAILURES)
def test_every_failure_is_one_line_without_the_key(server, play, words, caplog):
    server.play = play
    with pytest.raises(UserError) as error, caplog.at_level(logging.WARNING, logger="recsys"):
        encode(NAME, server.options, item_table(2, title=["a", "b"]))
    line = str(error.value)
    assert words in line and "\n" not in line and KEY not in line
    assert error.value.__context__ is None or KEY not in str(error.value.__context__)


def test_where_nothing_listens(server):
    nowhere = server.options["endpoint"] | {"address": "http://127.0.0.1:1/v1", "retries": 0}
    with pytest.raises(UserError, match=r"^http://127.0.0.1:1/v1: model 'm': no answer \(.*\); start the server"):
        encode(NAME, server.options | {"endpoint": nowhere}, item_table(1, title=["a"]))


def test_keys_do_not_belong_into_an_address():
    endpoint = {"address": "http://me:secret@host/v1"}
    with pytest.raises(UserError, match="environment variable") as error:
        encode(NAME, {"model": "m", "endpoint": endpoint}, item_table(1, title=["a"]))
    assert "secret" not in str(error.value)


def test_the_query_of_an_address_is_sent(server):
    endpoint = server.options["endpoint"] | {"query": {"api-version": "2026-01"}}
    encode(NAME, server.options | {"endpoint": endpoint}, item_table(1, title=["a"]))
    assert server.paths == ["/v1/embeddings?api-version=2026-01"]


@pytest.mark.parametrize(
    "option", [{"requests_per_minute": 9}, {"extra_body": {"a": 1}}, {"detail": "low"}, {"structured": True}]
)
def test_options_of_answers_are_refused(server, option):
    (name,) = option
    with pytest.raises(UserError, match=f"'{name}' means nothing to embeddings; leave it out"):
        encode(NAME, server.options | {"endpoint": server.options["endpoint"] | option}, item_table(1, title=["a"]))
    assert server.bodies == []

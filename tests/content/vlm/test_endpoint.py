"""A model behind an address, asked over real connections of a server that misbehaves on purpose."""

import base64
import logging
import socket
import time
from collections import Counter
from io import BytesIO
from traceback import TracebackException

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from recsys.content.vlm.describer import UnfinishedError, VlmInput
from recsys.content.vlm.endpoint import EndpointDescriber
from recsys.content.vlm.options import SPEAKS_FOR_ALL, EndpointOptions, VlmOptions
from recsys.errors import UserError
from tests.content.vlm.server import SOON, Server, answers, completion, gives, says, sends, serving

KEY = "sk-abCD1234-never-to-be-seen"
PROMPT = "What is this?"


@pytest.fixture
def server():
    with serving() as served:
        yield served


@pytest.fixture
def key(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


def describer(address: str, max_side: int | None = None, **options) -> EndpointDescriber:
    endpoint = EndpointOptions(address=address, **options)
    how = {"max_new_tokens": 50, "temperature": 0.5, "seed": 3, "max_side": max_side}
    return EndpointDescriber(endpoint, VlmOptions(model="some-model", prompt="movies_fields", **how))


def about(*texts: str) -> list[VlmInput]:
    return [VlmInput(text=text) for text in texts]


def ask(server: Server, *texts: str, **options) -> list[str]:
    return describer(server.address, **options).describe(PROMPT, about(*texts)).answers


def test_an_item_is_one_turn_of_its_small_picture_and_its_words(server, tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (600, 1200, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "poster.png")
    shown = [
        VlmInput((tmp_path / "poster.png",), "a red toy"),
        VlmInput((tmp_path / "poster.png",)),
        VlmInput((), "words"),
    ]
    said = describer(server.address, max_side=100).describe(PROMPT, shown)
    assert said.answers == ["about a red toy", f"about {PROMPT}", "about words"] and said.hidden == {}
    body = next(body for body, text in zip(server.bodies, server.asked, strict=True) if text == "a red toy")
    assert (body["model"], body["max_tokens"], body["temperature"], body["seed"]) == ("some-model", 50, 0.5, 3)
    (turn,) = body["messages"]
    picture, words = turn["content"]
    assert turn["role"] == "user" and words == {"type": "text", "text": f"{PROMPT}\n\na red toy"}
    head, data = picture["image_url"]["url"].split(",")
    assert head == "data:image/jpeg;base64"
    assert Image.open(BytesIO(base64.b64decode(data))).size == (100, 50)


def test_all_pictures_of_an_item_are_one_turn_in_their_order(server, tmp_path):
    for width, name in enumerate("abc", start=10):
        Image.new("RGB", (width, 20)).save(tmp_path / f"{name}.png")
    files = tuple(tmp_path / f"{name}.png" for name in "abc")
    describer(server.address, detail="low").describe(PROMPT, [VlmInput(files, "a toy")])
    *pictures, words = server.bodies[-1]["messages"][0]["content"]
    assert words["text"] == f"{PROMPT}\n\na toy" and {each["image_url"]["detail"] for each in pictures} == {"low"}
    data = [base64.b64decode(each["image_url"]["url"].split(",")[1]) for each in pictures]
    assert [Image.open(BytesIO(each)).width for each in data] == [10, 11, 12]


def test_answers_come_back_in_order_though_they_finish_in_another(server):
    server.plays |= {"a": [answers(1.0)], "b": [answers(0.5)], "c": [answers(0.0)]}
    assert ask(server, "a", "b", "c") == ["about a", "about b", "about c"]
    assert server.peak > 1


def test_what_goes_wrong_once_or_twice_is_asked_again(server):
    whole = b'{"choices": [{"message": {"content": "half"}}]}'
    faults = {
        "too many": [says(429, "slow down", **SOON)],
        "overloaded twice": [says(500, "oh", **SOON), says(503, "oh", **SOON)],
        "cut short": [sends(200, whole, cut=10)],
        "no json": [sends(200, b"{'choices'")],
        "a web page": [sends(200, b"<html>Sign in</html>", kind="text/html")],
        "an error that looks well": [gives({"error": {"message": "upstream failed"}})],
    }
    server.plays |= {name: list(plays) for name, plays in faults.items()}
    assert ask(server, *faults, retries=2) == [f"about {name}" for name in faults]
    assert Counter(server.asked) == {name: 1 + len(plays) for name, plays in faults.items()}


def test_an_answer_that_does_not_come_in_time_is_asked_for_again(server):
    server.plays["a"] = [answers(seconds=5)]
    assert ask(server, "a", timeout_s=1, retries=4) == ["about a"]  # a busy machine may need more than one
    assert len(server.asked) >= 2


def test_it_waits_as_long_as_the_server_asks(server):
    server.plays["a"] = [
        says(429, "slow down", **{"Retry-After": "0.9"})
    ]  # the library's own first wait is 0.5 at most
    assert ask(server, "a") == ["about a"]
    assert server.times[1] - server.times[0] >= 0.9


def test_an_item_that_is_refused_is_answered_by_nothing_and_the_others_go_on(server, caplog):
    refusals = {
        "filtered": [says(400, "flagged", code="content_filter")],
        "long": [says(400, "8192 tokens at most; you sent 9001", code="context_length_exceeded")],
        "longer": [says(400, "8192 tokens at most; you sent 9002", code="context_length_exceeded")],
        "too large": [sends(413, b'{"detail": "too large"}')],
        "no choices": [gives({"choices": []})],
        "filtered answer": [gives(completion("Half an ans", "content_filter"))],
        "unwilling": [gives(completion(None, refusal="I'd rather not"))],
        "thinks only": [gives(completion("", "length"))],
    }
    server.plays |= {name: list(plays) for name, plays in refusals.items()}
    assert ask(server, "a", *refusals, "b") == ["about a", *[""] * len(refusals), "about b"]
    assert len(server.asked) == len(refusals) + 2  # none was repeated
    prefix = f"{server.address}: model 'some-model': no answer for"
    warnings = [record.message.removeprefix(prefix) for record in caplog.records if record.levelno == logging.WARNING]
    assert warnings[0] == (" 2 of 10 items (HTTP 400 context_length_exceeded: 8192 tokens at most; you sent 9001)")
    assert " 1 of 10 items (HTTP 413: {'detail': 'too large'})" in warnings
    assert len(warnings) == 7 and " 1 of 10 items (no choices)" in warnings
    assert " 1 of 10 items (no words (finish_reason: length); raise `max_new_tokens`)" in warnings


def test_a_server_that_refuses_every_item_is_not_asked_about_the_whole_catalogue(server):
    server.always = says(400, "some-model is not a multimodal model")
    model = describer(server.address)
    half = about(*map(str, range(SPEAKS_FOR_ALL // 2)))
    assert model.describe(PROMPT, half).answers == [""] * len(half)
    with pytest.raises(UserError, match="refuses every item .*is not a multimodal model"):
        model.describe(PROMPT, half)


@pytest.mark.parametrize(
    ("status", "named"),
    [(401, "OPENAI_API_KEY"), (403, "OPENAI_API_KEY"), (404, "OPENAI_API_KEY"), (404, "`model`, `address`")],
)
def test_a_wrong_key_or_model_stops_at_once(server, key, status, named):
    server.always = says(status, "no good: {key}", **SOON)
    with pytest.raises(UserError) as error:
        ask(server, *map(str, range(20)), concurrency=2)
    line = str(error.value)
    assert server.address in line and "'some-model'" in line and named in line
    assert "\n" not in line and "no good: <key>" in line
    assert len(server.asked) <= (10 if status == 403 else 4)  # a 403 may be about single items


def test_an_address_where_nobody_listens_stops_at_once():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    started = time.monotonic()
    with pytest.raises(UserError, match=f"{address}: no server answers there .*; start the server"):
        describer(address, retries=20).describe(PROMPT, about("a"))
    assert time.monotonic() - started < 20  # its retries would take minutes


def test_when_retries_are_spent_the_answers_so_far_are_handed_over(server):
    server.plays["b"] = [says(503, "down for now", **SOON)] * 3
    with pytest.raises(UnfinishedError) as error:
        ask(server, "a", "b", "c", retries=2, concurrency=1)
    assert (error.value.rows, error.value.said.answers) == ([0], ["about a"])
    assert str(error.value).endswith("HTTP 503 (down for now), even after up to 2 retries")
    assert server.asked == ["a", "b", "b", "b"]


def test_a_server_that_never_answers_in_time(server):
    server.always = answers(0.6)
    with pytest.raises(UnfinishedError, match="no answer within 0.2 s, even after up to 1 retries"):
        ask(server, "a", timeout_s=0.2, retries=1)


def test_no_more_requests_are_in_flight_than_are_allowed(server):
    server.always = answers(0.05)
    ask(server, *map(str, range(20)), concurrency=3)
    assert server.peak == 3


@pytest.mark.parametrize("broken", [says(500, "assertion failed", **SOON), says(403, "flagged", **SOON)])
def test_an_item_that_breaks_the_server_is_refused_though_nothing_was_answered_yet(server, broken):
    server.plays["first"] = [broken] * 2
    model = describer(server.address, concurrency=1, retries=1)
    assert model.describe(PROMPT, about("first")).refused[0].startswith("HTTP ")
    assert model.describe(PROMPT, about("second")).answers == ["about second"]


def test_requests_are_spread_over_the_minute(server):
    server.plays["1"] = [says(500, "oh", **SOON)]
    model = describer(server.address, requests_per_minute=120)
    model.describe(PROMPT, about("0", "1"))
    model.describe(PROMPT, about("2"))
    assert len(server.times) == 4
    assert np.diff(sorted(server.times)).min() > 0.5 - 0.2  # the retry too, and the next batch; but for a late start


def test_the_key_is_sent_and_never_told(server, key, caplog, tmp_path):
    """Not in a log, an error, what hangs on it, or a repr, though the server repeats it wherever it can."""
    caplog.set_level(logging.DEBUG)
    repeats = {"in a 400": says(400, "bad {key}", code="bad"), "in a retry": says(500, "{key}", **SOON)}
    server.plays |= {name: [play] for name, play in repeats.items()}
    model = describer(server.address, retries=1)
    model.describe(PROMPT, about("a", *repeats))
    seen = [repr(model), repr(vars(model)), repr(model.options), model.options.model_dump_json()]
    for status in (401, 403, 404, 503):
        server.always = says(status, "{key} " + "x" * 150 + " {key}", **SOON)
        with pytest.raises((UserError, UnfinishedError)) as caught:
            model.describe(PROMPT, about("a", "b"))
        error, own = caught.value, caught.tb.tb_next  # without this test's frame, which does hold the key
        shown = TracebackException(type(error), error, own, capture_locals=True)
        seen += [*shown.format(), repr(vars(error)), repr((error.__context__, error.__cause__))]
    assert {headers["authorization"] for headers in server.headers} == {f"Bearer {KEY}"}
    assert any(record.name.startswith("openai") for record in caplog.records)
    assert KEY not in caplog.text + "".join(repr(vars(record)) for record in caplog.records)
    assert not [text for text in seen if KEY[:12] in text]


def test_the_variable_of_the_key_is_the_study_s_to_name(server, key, monkeypatch):
    monkeypatch.setenv("SHOP_KEY", f" {KEY}2\n")
    ask(server, "a", api_key_env="SHOP_KEY")
    ask(server, "a", api_key_env="NOT_SET")
    assert [headers["authorization"] for headers in server.headers] == [f"Bearer {KEY}2", "Bearer EMPTY"]


def test_a_key_that_no_header_can_hold_is_not_quoted(server, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-one\nsk-two")
    with pytest.raises(UserError, match="OPENAI_API_KEY holds no key") as error:
        ask(server, "a")
    assert "sk-" not in str(error.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"address": "localhost:8000"}, "write it like http://localhost:8000/v1"),
        ({"address": f"http://me:{KEY}@host/v1"}, "keys do not belong in it"),
        ({"address": f"http://host/v1?key={KEY}"}, "keys do not belong in it"),
        ({"address": "http://host/v1", "api_key_env": KEY}, "should match pattern"),
        ({"address": "http://host/v1", "api_key": KEY}, "Extra inputs are not permitted"),
    ],
)
def test_a_key_in_the_study_itself_is_refused_without_being_quoted(options, message):
    with pytest.raises(ValidationError, match=message) as error:
        EndpointOptions(**options)
    assert KEY not in str(error.value)


def test_other_parameters_go_with_every_request(server, tmp_path):
    Image.new("RGB", (20, 20), "red").save(tmp_path / "red.png")
    more = {
        "query": {"api-version": "2026-01"},
        "extra_body": {"reasoning_effort": "low", "chat_template_kwargs": {"enable_thinking": False}},
        "detail": "low",
        "structured": True,
    }
    endpoint = EndpointOptions(address=server.address, **more)
    model = EndpointDescriber(endpoint, VlmOptions(model="some-model", prompt="p"), ["Main Color", "Type"])
    model.describe(PROMPT, [VlmInput((tmp_path / "red.png",), "a")])
    (body,) = server.bodies
    assert server.paths == ["/v1/chat/completions?api-version=2026-01"]
    assert body["reasoning_effort"] == "low" and body["chat_template_kwargs"] == {"enable_thinking": False}
    assert body["messages"][0]["content"][0]["image_url"]["detail"] == "low"
    schema = body["response_format"]["json_schema"]["schema"]
    assert body["response_format"]["type"] == "json_schema" and schema["required"] == ["Main Color", "Type"]


UNWANTED = {
    "max_tokens": ("Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' "
                   "instead."),
    "temperature": "Unsupported value: 'temperature' does not support 0.5. Only the default (1) value.",
    "seed": "[{'type': 'extra_forbidden', 'loc': ('body', 'seed'), 'msg': 'Extra inputs are not permitted'}]",
}  # fmt: skip


@pytest.mark.parametrize("name", UNWANTED)
def test_a_parameter_that_a_server_does_not_take_is_sent_otherwise_and_said_once(server, name, caplog):
    def strict(handler):
        (says(400, UNWANTED[name]) if name in handler.body else answers())(handler)

    server.always = strict
    model = describer(server.address)
    assert model.describe(PROMPT, about(*map(str, range(12)))).answers == [f"about {n}" for n in range(12)]
    assert model.describe(PROMPT, about("later")).refused == [""]
    assert len(model.adapted) == 1 and f"`{name}`" in model.adapted[0]
    assert len([record for record in caplog.records if record.levelno == logging.WARNING]) == 1
    assert name not in server.bodies[-1] and (name != "max_tokens" or server.bodies[-1]["max_completion_tokens"] == 50)


@pytest.mark.parametrize(
    ("options", "says_", "remedy"),
    [
        ({"structured": True}, "response_format json_schema is not supported by this model", "structured: false"),
        ({"extra_body": {"top_k": 5}}, "Unrecognized request argument supplied: top_k", "extra_body: {top_k"),
        ({"extra_body": {"temperature": 0}}, "'temperature' is not supported", "extra_body: {temperature"),
        ({"query": {"api-version": "1"}}, "unsupported api-version", "query: {api-version"),
    ],
)
def test_a_parameter_of_the_study_s_own_is_one_line_with_its_option(server, options, says_, remedy):
    server.always = says(400, says_)
    endpoint = EndpointOptions(address=server.address, **options)
    model = EndpointDescriber(endpoint, VlmOptions(model="some-model", prompt="p"), ["Type"])
    with pytest.raises(UserError) as error:
        model.describe(PROMPT, about(*map(str, range(20))))
    assert remedy in str(error.value) and "\n" not in str(error.value)


def test_what_stands_in_a_field_of_its_own_is_thinking_and_no_answer(server):
    server.plays["a"] = [gives(completion("chair", reasoning_content="Type: lamp?"))]
    server.plays["b"] = [gives(completion("", "length", reasoning_content="Type: lamp?"))]
    said = describer(server.address).describe(PROMPT, about("a", "b"))
    assert said.answers == ["chair", ""]
    assert said.refused[1] == "thinking but no answer (finish_reason: length); raise `max_new_tokens`"


@pytest.mark.parametrize("name", ["api_key", "api-key", "key", "Authorization", "access_token", "subscription-key"])
@pytest.mark.parametrize("where", ["query", "extra_body"])
def test_a_key_among_the_parameters_is_refused_without_being_quoted(name, where):
    with pytest.raises(ValidationError, match="keys do not belong in it") as error:
        EndpointOptions(address="http://host/v1", **{where: {name: KEY}})
    assert KEY not in str(error.value)


def test_parameters_that_only_sound_like_keys_are_taken():
    for name in ("prompt_cache_key", "max_completion_tokens", "stop_token_ids", "safety_identifier"):
        assert EndpointOptions(address="http://host/v1", extra_body={name: 1}).extra_body

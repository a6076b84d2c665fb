"""An extraction that asks a server: it stops where the server does, and goes on with what is missing."""

import json
import re

import pandas as pd
import pytest
from pydantic import ValidationError

from recsys.content.vlm.estimate import sample
from recsys.content.vlm.extraction import UnusableError, VlmOptions, extract
from recsys.errors import UserError
from tests.content.conftest import item_table
from tests.content.vlm.server import SOON, answers, completion, gives, says, sends, serving

KEY = "sk-abCD1234-never-to-be-seen"
TITLES = ["a", "b", "c", "d", "b", None]
"""Two are equal, and there is nothing to say about the last."""


@pytest.fixture
def server():
    with serving() as served:
        yield served


@pytest.fixture
def items(pictures):
    """Pictures for two of them; that of the third does not open."""
    paths = [str(pictures[0]), None, str(pictures[0].parent), None, None, None]
    return item_table(6, title=TITLES, image_path=paths)


def run(server, items, work, *, endpoint=None, **options):
    where = {"address": server.address, "retries": 1, "concurrency": 1} | (endpoint or {})
    given = {"model": "served", "prompt": "movies_fields", "inputs": ("image", "text"), "text_fields": ("title",)}
    given |= {"min_compliance": 0}
    return extract(items, VlmOptions(endpoint=where, **(given | options)), work=work)


def test_every_content_is_asked_about_once(server, items, tmp_path):
    made = run(server, items, tmp_path)
    assert made.answers["answer"].tolist() == ["about a", "about b", "about c", "about d", "about b"]
    assert made.answers["item_id"].tolist() == ["0", "1", "2", "3", "4"]
    assert sorted(server.asked) == ["a", "b", "c", "d"]
    with_picture = [text for text, body in zip(server.asked, server.bodies, strict=True) if "image_url" in str(body)]
    assert with_picture == ["a"]
    assert made.hidden == {} and made.facts["unreadable_images"] == 1 and made.facts["tokens"] == 4 * 3


def test_it_goes_on_with_what_is_missing(server, items, tmp_path, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    server.plays["c"] = [says(503, "down: {key}", **SOON)] * 2
    with pytest.raises(UserError) as error:
        run(server, items, tmp_path)
    before = set(server.asked) - {"c"}
    line = str(error.value)
    assert line.endswith(f"retries: {len(before)} of 4 contents are answered and kept; the same command goes on")
    assert "\n" not in line and KEY not in line
    server.asked.clear()
    made = run(server, items, tmp_path)
    assert set(server.asked) == {"a", "b", "c", "d"} - before and len(server.asked) == 4 - len(before) > 0
    assert made.facts["kept"] == len(before) > 0
    assert made.answers["answer"].tolist() == ["about a", "about b", "about c", "about d", "about b"]
    made.save(tmp_path)
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert len(files) > 2 and not any(KEY.encode() in file.read_bytes() for file in files)


def test_a_refused_item_is_not_asked_about_again(server, items, tmp_path):
    server.plays["b"] = [says(400, "flagged", code="content_filter")]
    for _ in range(2):
        made = run(server, items, tmp_path)
        assert made.answers["answer"].tolist() == ["about a", "about c", "about d"]
        assert made.answers["item_id"].tolist() == ["0", "2", "3"]
        assert (made.facts["answered"], made.facts["refused"]) == (3, 2)
        assert made.refusals == {"HTTP 400 content_filter": 2}
    assert len(server.asked) == 4


def document(status, body):
    return sends(status, json.dumps(body).encode(), **SOON)


UNANSWERED = {
    "content filter": gives(completion("I", finish_reason="content_filter")),
    "the model refuses": gives(completion(None, refusal="I can't help with that.")),
    "the model declines in words": gives(completion("I'm sorry, but I can't assist with that request.")),
    "no words (finish_reason: stop)": gives(completion("  ")),
    "no words (finish_reason: SAFETY)": document(200, {"choices": [{"finish_reason": "SAFETY", "message": None}]}),
    "no choices": document(200, {"choices": []}),
    "HTTP 403 each time": document(403, {"error": {"message": "flagged by moderation"}}),
    "HTTP 415 each time": document(415, {"error": {"message": "unsupported picture"}}),
    "HTTP 500 each time": document(500, {"error": {"message": "assertion failed"}}),
    "no answer each time": document(200, {"error": {"code": 502, "message": "flagged"}}),
}


@pytest.mark.parametrize("why", UNANSWERED)
def test_items_that_a_server_never_answers_are_refused_and_the_others_answered(server, tmp_path, why):
    items = item_table(18, title=[f"item {number}" for number in range(18)])
    always = answers()
    odd = {f"item {number}" for number in range(5, 18, 6)}
    server.always = lambda handler: (UNANSWERED[why] if handler.text in odd else always)(handler)
    made = run(server, items, tmp_path, endpoint={"concurrency": 4})
    assert (made.facts["answered"], made.facts["refused"], made.refusals) == (15, 3, {why: 3})
    n_asked = len(server.asked)
    assert run(server, items, tmp_path).facts["kept"] == 18 and len(server.asked) == n_asked


@pytest.mark.parametrize(("status", "line"), [(403, "put a valid key"), (500, "the same command goes on")])
def test_a_server_that_answers_nothing_any_more_refuses_no_item(server, tmp_path, status, line):
    """A key that was withdrawn, or a server that broke: not the items at which it was noticed."""
    items = item_table(18, title=[f"item {number}" for number in range(18)])
    n_asked = iter(range(1000))
    broken = document(status, {"error": {"message": "not now"}})
    server.always = lambda handler: (answers() if next(n_asked) < 9 else broken)(handler)
    with pytest.raises(UserError, match=line):
        run(server, items, tmp_path)
    server.always = None
    made = run(server, items, tmp_path)
    assert (made.facts["answered"], made.facts["refused"], made.facts["kept"]) == (18, 0, 9)


def test_a_model_that_declines_is_not_asked_about_the_whole_catalogue(server, tmp_path):
    items = item_table(300, title=[f"item {number}" for number in range(300)])
    server.always = gives(completion("I'm sorry, but I can't assist with that request."))
    with pytest.raises(UnusableError, match="excuses in 0 % of the cases, such as 'I'm sorry, but I can't assist"):
        run(server, items, tmp_path, prompt="movies_sentence", min_compliance=0.5)
    assert len(server.asked) == 8


def test_an_answer_in_parts_is_one(server, tmp_path):
    parts = [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "a "}, {"type": "text", "text": "chair"}]
    server.always = gives(completion(parts))
    made = run(server, item_table(1, title=["item"]), tmp_path, prompt="movies_sentence")
    assert made.answers["answer"].tolist() == ["a chair"]


def test_a_server_that_refuses_everything_leaves_nothing_behind(server, tmp_path):
    items = item_table(10, title=[f"item {number}" for number in range(10)])
    server.always = says(400, "the server was started without this")
    with pytest.raises(UserError, match="refuses every item"):
        run(server, items, tmp_path)
    server.always = None
    made = run(server, items, tmp_path)
    assert made.facts["kept"] == 0 and made.answers["answer"][0] == "about item 0"


def test_how_fast_it_is_asked_changes_no_answer(server, items, tmp_path):
    run(server, items, tmp_path)
    faster = {"concurrency": 3, "timeout_s": 5.0, "retries": 0, "requests_per_minute": 60_000, "api_key_env": "K"}
    assert run(server, items, tmp_path, endpoint=faster).facts["kept"] == 4
    assert run(server, items, tmp_path, temperature=0.5).facts["kept"] == 0
    assert run(server, items, tmp_path, model="another").facts["kept"] == 0


def test_many_are_in_flight_across_a_batch(server, items, tmp_path):
    server.always = answers(0.1)
    run(server, items, tmp_path, endpoint={"concurrency": 4})
    assert server.peak == 4


def test_an_endpoint_has_no_hidden_states():
    given = {"model": "served", "prompt": "movies_fields", "endpoint": {"address": "http://localhost:8000/v1"}}
    assert VlmOptions(**given).poolings == () and VlmOptions(model="m", prompt="p").poolings == ("answer_end",)
    with pytest.raises(ValidationError, match=re.escape("an endpoint shows no hidden states; leave it out")) as error:
        VlmOptions(**given, poolings=("answer_end",))
    assert error.value.errors()[0]["loc"] == ("poolings",)


def says_nothing_of_use(handler):
    gives(completion("Lorem ipsum dolor sit amet."))(handler)


@pytest.mark.parametrize("prompt", ["movies_fields", "movies_sentence"])
def test_poor_answers_stop_after_the_first_few_with_an_example(server, tmp_path, prompt):
    items = item_table(300, title=[f"item {number}" for number in range(300)])
    server.always = says_nothing_of_use
    with pytest.raises(UnusableError, match="Lorem ipsum dolor") as error:
        run(server, items, tmp_path, prompt=prompt, min_compliance=0.5)
    assert len(server.asked) == 8 and "\n" not in str(error.value)
    short, long = sorted(map(len, server.asked))[0], sorted(map(len, server.asked))[-1]
    assert short < long  # short and long texts are tried
    server.asked.clear()
    with pytest.raises(UnusableError):
        run(server, items, tmp_path, prompt=prompt, min_compliance=0.5)
    assert server.asked == []


def test_a_study_can_go_on_whatever_is_answered(server, tmp_path):
    items = item_table(20, title=[f"item {number}" for number in range(20)])
    server.always = says_nothing_of_use
    assert len(run(server, items, tmp_path).answers) == 20


def test_answers_that_were_cut_off_are_counted(server, tmp_path):
    items = item_table(20, title=[f"item {number}" for number in range(20)])
    server.always = lambda handler: gives(completion(f"about {handler.text}", "length"))(handler)
    assert run(server, items, tmp_path).facts["cut_off"] == 20


def test_another_address_buys_no_answer_again(server, items, tmp_path):
    run(server, items, tmp_path)
    with serving() as other:
        assert run(other, items, tmp_path).facts["kept"] == 4 and other.asked == []


def test_answers_that_were_there_before_are_not_ascribed_to_the_server_of_now(server, items, tmp_path):
    assert run(server, items, tmp_path).provenance["endpoint"] == server.address
    made = run(server, items, tmp_path, endpoint={"address": "http://elsewhere:1/v1"})
    assert made.provenance["endpoint"] == server.address
    more = pd.concat([items, item_table(1, title=["new"]).assign(item_id="new")], ignore_index=True)
    with serving() as other:
        assert run(other, more, tmp_path).provenance["endpoint"] == f"{server.address}, {other.address}"


def test_refusals_of_a_sample_are_no_answers(server, tmp_path):
    items = item_table(20, title=[f"item {number}" for number in range(20)])
    where = {"address": server.address, "retries": 1, "concurrency": 1}
    options = VlmOptions(model="m", prompt="movies_sentence", inputs=("text",), text_fields=("title",), endpoint=where)
    server.always = gives(completion("I'm sorry, but I can't assist with that request."))
    found = sample(items, options, 3, None, tmp_path)
    assert (found.n_asked, found.n_refused, found.n_missing) == (3, 3, 17)
    assert {each.refused for each in found.answers} == {"the model declines in words"}


def test_the_sample_tells_what_the_rest_takes(server, tmp_path):
    items = item_table(101, title=[f"item {number}" for number in range(101)])
    server.always = answers(0.05)
    where = {"address": server.address, "concurrency": 5}
    given = {"model": "served", "prompt": "movies_sentence", "inputs": ("text",), "text_fields": ("title",)}
    options = VlmOptions(endpoint=where, **given)
    found = sample(items, options, 5, None, tmp_path)
    assert (found.n_contents, found.n_asked, found.n_missing) == (101, 5, 96)
    assert found.seconds >= 96 / 5 * 0.05 and found.compliance == 1
    assert found.answers[0].answer.startswith("about item")
    slow = VlmOptions(endpoint=where | {"requests_per_minute": 6}, **given)
    assert sample(items, slow, 5, None, tmp_path).seconds == pytest.approx(96 * 10)
    assert len(server.asked) == 5

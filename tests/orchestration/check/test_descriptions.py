"""Descriptions that a model is still to be asked for: what is wrong with the question, the model or its server."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler

import pytest
import torch

from orchestration.settings import Settings
from tests.local_server import listening
from tests.orchestration.check.catalogue import KEYWORDS, refused, write
from tests.orchestration.command_line import printed


@pytest.mark.parametrize(
    ("options", "encoder", "line"),
    [
        (
            "poolings: [prompt_end]",
            "hidden_states",
            "the corpus has no 'answer_end'; set `pooling` to one of prompt_end",
        ),
        ("truth: {Type: kategory}", "keywords", "items have no column 'kategory'; did you mean 'category'?"),
        ("text_fields: [titel]", "keywords", "items have no column 'titel'; did you mean 'title'?"),
        ("model: models/of/mine", "keywords", "there is no such folder with a config.json"),
        ("model: a/b", "keywords", "add `revision`"),
        ("prompt: market_feelds", "keywords", "did you mean 'market_fields'?"),
        ("layer: 99", "keywords", "`layer` is 99; 'market_describer' has layers -3 to 2"),
        ("layers: [0, -4]", "keywords", "`layer` is -4; 'market_describer' has layers -3 to 2"),
        pytest.param(
            "device: cuda",
            "keywords",
            "device 'cuda': there is no CUDA device here; set `device` to auto or cpu",
            marks=pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a CUDA device"),
        ),
        ("inputs: [image]", "keywords", "none of the 40 items has image to show the model"),
    ],
)
def test_descriptions_that_are_still_to_be_asked_for(
    settings: Settings, options: str, encoder: str, line: str
) -> None:
    key, value = options.split(": ", 1)
    asked = {"model": "market_describer", "prompt": "market_fields", "inputs": "[text]"} | {key: value}
    given = ", ".join(f"{key}: {value}" for key, value in asked.items())
    write(settings, f"said: {{encoder: {encoder}, corpus: words}}", f"words: {{{given}}}")
    (found,) = refused(settings)
    assert line in found


def test_a_model_that_is_asked_for_no_answer_fills_in_no_fields(settings: Settings) -> None:
    asked = "words: {model: market_describer, prompt: market_fields, inputs: [text], max_new_tokens: 0}"
    write(settings, "seen: {encoder: hidden_states, corpus: words, pooling: prompt_end}\n" + KEYWORDS, asked)
    (line,) = refused(settings)
    assert line.startswith("content shop/said: ")


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        known = self.headers.get("Authorization") == "Bearer right"
        self.send_response(200 if known else 401)
        self.end_headers()
        self.wfile.write(b'{"data": [{"id": "served"}]}')

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with listening(Handler) as found:
        yield f"{found}/v1"


def test_a_server_is_asked_once_whether_it_is_there(
    settings: Settings, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def study(address: str, model: str = "served") -> None:
        endpoint = f"endpoint: {{address: '{address}', api_key_env: SHOP_KEY}}"
        write(settings, KEYWORDS, f"words: {{model: {model}, prompt: market_fields, inputs: [text], {endpoint}}}")

    monkeypatch.delenv("SHOP_KEY", raising=False)
    study(address)
    assert "the server wants a key; put a valid key into the environment variable SHOP_KEY" in refused(settings)[0]
    monkeypatch.setenv("SHOP_KEY", "wr0ng")
    assert "the server does not accept the key" in refused(settings)[0] and "wr0ng" not in refused(settings)[0]
    monkeypatch.setenv("SHOP_KEY", "right")
    shown = printed(settings, "check", "shop")
    assert f"asks served (the server at {address} answers) about 40 of 40 items (100.0 %), prompt market" in shown
    assert "✓ content shop/said: encoder keywords: 40 of 40 items (100.0 %) have it" in shown
    study(address, "another")
    assert "answers, and does not list 'another' (served)" in printed(settings, "check", "shop")
    study("http://127.0.0.1:1/v1")
    assert "http://127.0.0.1:1/v1: no server answers there (" in refused(settings)[0]

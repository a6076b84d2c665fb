"""vLLM's offline engine, by a stand-in for the library: how it is asked, and what is made of its answers."""

import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from recsys.content.vlm.extraction import VlmOptions, extract
from recsys.errors import UserError
from tests.content.conftest import item_table

FIELDS = ("Genre", "Audience", "Visual Format", "Mood", "Setting")


@pytest.fixture
def weights(tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text("{}")
    (tmp_path / "model" / "model.safetensors").write_bytes(b"")
    return tmp_path / "model"


def run(weights, **options):
    items = item_table(3, title=["a", "b", "b"])
    given = {"model": str(weights), "engine": "vllm", "prompt": "movies_fields", "inputs": ("text",)}
    return extract(items, VlmOptions(**(given | {"text_fields": ("title",), "max_new_tokens": 40} | options)))


@pytest.fixture
def asked(monkeypatch) -> dict[str, Any]:
    """What the stand-in was given."""
    seen: dict[str, Any] = {"turns": []}

    class LLM:
        def __init__(self, **options: Any) -> None:
            seen["engine"] = options

        def chat(self, turns: list[Any], sampling: Any, use_tqdm: bool) -> list[Any]:
            seen["turns"] += turns
            seen["sampling"] = sampling
            text = ", ".join(f"[{field}] {{x}}" for field in FIELDS)
            first = SimpleNamespace(text=f" {text} ", token_ids=[1, 2, 3], finish_reason="stop")
            return [SimpleNamespace(outputs=[first], prompt_token_ids=[1] * 7) for _ in turns]

    stub = ModuleType("vllm")
    stub.LLM, stub.SamplingParams = LLM, dict  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "vllm", stub)
    return seen


def test_the_engine_is_asked_about_each_content_once(weights, asked):
    made = run(weights, temperature=0.5, seed=4)
    assert made.answers["answer"].tolist() == [", ".join(f"[{field}] {{x}}" for field in FIELDS)] * 3
    assert asked["engine"]["model"] == str(weights) and asked["engine"]["trust_remote_code"] is False
    assert asked["sampling"] == {"max_tokens": 40, "temperature": 0.5, "seed": 4}
    assert sorted(turn[0]["content"].splitlines()[-1] for turn in asked["turns"]) == ["a", "b"]
    assert (made.facts["tokens"], made.facts["prompt_tokens"], made.hidden) == (6, 14, {})
    assert "vllm" in made.provenance["libraries"]


def test_without_the_library_there_is_one_line(weights, monkeypatch):
    monkeypatch.setitem(sys.modules, "vllm", None)
    with pytest.raises(UserError, match=r"vLLM cannot be imported .*pip install 'modalift\[vllm\]'") as error:
        run(weights)
    assert "\n" not in str(error.value)

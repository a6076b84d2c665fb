"""What is recorded of where vectors come from: what a person would need to make them again."""

import hashlib
import json
from importlib.metadata import version
from pathlib import Path

import numpy as np

from recsys.content import provenance
from recsys.content.vlm.options import VlmOptions
from recsys.content.vlm.prompts import load_prompt
from recsys.study.dataset_spec import ContentSource
from recsys.study.preparing import record_encoding


def record(folder: Path, **given: object) -> dict[str, object]:
    made = record_encoding(ContentSource.model_validate(given), folder, folder)
    assert json.loads((folder / provenance.PROVENANCE).read_text(encoding="utf-8")) == made
    return made


def test_of_an_encoder_without_weights_its_options_and_libraries(tmp_path: Path) -> None:
    made = record(tmp_path, encoder="tfidf_svd", dim=8)
    assert (made["encoder"], made["dim"]) == ("tfidf_svd", 8)
    assert made["libraries"]["scikit-learn"] == version("scikit-learn")
    assert "torch" not in made["libraries"]


def test_of_vectors_that_were_made_elsewhere_their_file(tmp_path: Path) -> None:
    np.save(tmp_path / "m.npy", np.eye(3, dtype=np.float32))
    digest = hashlib.sha256((tmp_path / "m.npy").read_bytes()).hexdigest()
    assert record(tmp_path, encoder="matrix_file", file="m.npy")["files"] == [f"m.npy (sha256 {digest})"]


def test_of_trained_weights_the_revision_or_what_is_in_their_folder(tmp_path: Path) -> None:
    on_hub = {"encoder": "sentence_transformer", "model": "intfloat/e5-base"}
    made = record(tmp_path, **on_hub, revision="a" * 40, prompt="query: ")
    assert (made["model"], made["revision"], made["prompt"]) == ("intfloat/e5-base", "a" * 40, "query: ")
    assert "weights" not in made and "torch" in made["libraries"]
    (tmp_path / "own").mkdir()
    (tmp_path / "own/config.json").write_text("{}")
    first = record(tmp_path, encoder="sentence_transformer", model="own")["weights"]
    (tmp_path / "own/model.safetensors").write_bytes(b"1")
    assert record(tmp_path, encoder="sentence_transformer", model="own")["weights"] != first


def test_of_a_server_its_address_and_model(tmp_path: Path) -> None:
    endpoint = {"address": "http://localhost:8000/v1", "api_key_env": "MY_KEY"}
    made = record(tmp_path, encoder="embeddings_endpoint", model="bge", endpoint=endpoint, batch_size=3)
    assert (made["model"], made["endpoint"]) == ("bge", "http://localhost:8000/v1")
    assert "batch_size" not in made and "MY_KEY" not in str(made)


def test_how_a_server_was_asked_is_told_in_plain_words() -> None:
    endpoint = {"address": "http://a/v1", "extra_body": {"reasoning_effort": "low"}, "structured": True}
    options = VlmOptions.read(
        {"model": "m", "prompt": "market_fields", "inputs": ["image", "text"], "endpoint": endpoint}
    )
    made = provenance.of_model(options, load_prompt("market_fields"), None, ["m-2026"], [])
    said = dict(provenance.lines(made))
    assert said["options"] == (
        "inputs=image+text, text_fields=title+text, max_new_tokens=128, structured=True, "
        'extra_body={"reasoning_effort": "low"}'
    )
    assert said["served as"] == "m-2026" and said["prompt text"].startswith("Imagine")

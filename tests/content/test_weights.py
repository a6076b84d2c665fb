"""Weights from folders, packages and a hub that stands on this machine; what cannot be had is one line."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from recsys.content.weights import digest, locate, on_this_machine
from recsys.errors import UserError
from tests.local_server import listening

COMMIT = "0123456789abcdef0123456789abcdef01234567"
LOCATE = """
import sys
from recsys.content.weights import locate, on_this_machine
from recsys.errors import UserError
for model in sys.argv[2:]:
    revision = sys.argv[1] if model != "tiny/model@other" else "f" * 40
    model = model.removesuffix("@other")
    try:
        before = on_this_machine(model, revision)
        place = locate(model, revision, instead="use encoder 'tfidf_svd', which needs no weights")
        print(before, place, on_this_machine(model, revision) == place)
    except UserError as error:
        print("UserError:", error)
"""


def weights_file(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({"w": np.ones(3, np.float32)}, path)
    return path


def model_folder(folder: Path) -> Path:
    weights_file(folder / "model.safetensors")
    (folder / "config.json").write_text("{}")
    return folder


@dataclass
class Hub:
    """What a hub keeps: files by model; and what it was asked for."""

    models: dict[str, dict[str, bytes]]
    gated: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    address: str = ""


class Handler(BaseHTTPRequestHandler):
    """The three requests of a download: what a revision is, which files it has, and the files."""

    protocol_version = "HTTP/1.1"
    hub: Hub

    def do_GET(self) -> None:
        self.hub.asked.append(self.path)
        parts = self.path.partition("?")[0].strip("/").split("/")
        about = parts[:2] == ["api", "models"]
        model = "/".join(parts[2:4] if about else parts[:2])
        revision, name = (parts[5], None) if about else (parts[3], "/".join(parts[4:]))
        if model not in self.hub.models:
            self.answer(404, X_Error_Code="RepoNotFound")
        elif revision != COMMIT:
            self.answer(404, X_Error_Code="RevisionNotFound")
        elif name is None:
            files = self.hub.models[model]
            tree = [{"type": "file", "path": path, "size": len(files[path]), "oid": COMMIT} for path in files]
            body = tree if parts[4] == "tree" else {"id": model, "sha": COMMIT}
            self.answer(200, json.dumps(body).encode(), Content_Type="application/json")
        elif model in self.hub.gated:
            self.answer(403, X_Error_Code="GatedRepo")
        else:
            body = self.hub.models[model][name]
            self.answer(200, body, ETag=f'"{sha256(body).hexdigest()}"', X_Repo_Commit=revision)

    do_HEAD = do_GET  # noqa: N815

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    files = {file.name: file.read_bytes() for file in model_folder(tmp_path / "served").iterdir()}
    pickled = {"config.json": b"{}", "pytorch_model.bin": b"a pickle", "modeling.py": b"raise SystemExit"}
    kept = Hub({"tiny/model": files | pickled, "pickle/only": pickled, "gated/model": files}, {"gated/model"})
    with listening(type("Bound", (Handler,), {"hub": kept})) as kept.address:
        yield kept


def locate_elsewhere(address: str, home: Path, *models: str) -> list[str]:
    """What another process, with its own empty cache, makes of models on the hub: a line each."""
    env = os.environ | {"HF_ENDPOINT": address, "HF_HOME": str(home), "HF_HUB_DISABLE_TELEMETRY": "1"}
    command = [sys.executable, "-c", LOCATE, COMMIT, *models]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    return done.stdout.strip().splitlines()


def test_what_a_hub_has_and_what_it_refuses(hub, tmp_path):
    asked = ("tiny/model", "tiny/model", "pickle/only", "no/model", "tiny/model@other", "gated/model")
    fetched, again, pickled, *refused = locate_elsewhere(hub.address, tmp_path, *asked)

    before, place, after = fetched.split()
    assert (before, Path(place).name, after) == ("None", COMMIT, "True")
    assert sorted(file.name for file in Path(place).iterdir()) == ["config.json", "model.safetensors"]
    assert not [path for path in hub.asked if path.endswith((".bin", ".py"))]
    assert again == f"{place} {place} True"

    remedy = "use encoder 'tfidf_svd', which needs no weights"
    assert pickled.startswith("UserError: model 'pickle/only': model.safetensors is not in ")
    assert pickled.endswith(f"; give weights as .safetensors, other kinds are not read, or {remedy}")
    reasons = {
        "no/model": "there is no such model, or HF_TOKEN is needed to see it",
        "tiny/model": "it has no such revision",
        "gated/model": "its licence must be accepted there first, and HF_TOKEN set",
    }
    assert refused == [
        f"UserError: model '{model}': cannot fetch model.safetensors from the hub ({reason}); give a folder with its "
        f"config.json and .safetensors files as `model`, or {remedy}"
        for model, reason in reasons.items()
    ]


def test_a_download_that_was_cut_short_is_finished(hub, tmp_path):
    (first,) = locate_elsewhere(hub.address, tmp_path, "tiny/model")
    place = Path(first.split()[1])
    (place / "model.safetensors").unlink()
    assert locate_elsewhere(hub.address, tmp_path, "tiny/model") == [f"None {place} True"]


def test_a_hub_that_does_not_answer_is_one_line(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused
        (line,) = locate_elsewhere(f"http://127.0.0.1:{taken.getsockname()[1]}", tmp_path, "tiny/model")
    assert "cannot fetch model.safetensors from the hub ([Errno 111] Connection refused); give a folder" in line


def test_folders_are_found_by_name_beside_the_data_or_in_a_folder_of_models(tmp_path, monkeypatch):
    mine = model_folder(tmp_path / "data" / "mine")
    assert locate("mine", folder=tmp_path / "data") == mine.resolve()
    assert locate(str(mine)) == mine.resolve()
    monkeypatch.setenv("MODALIFT_MODELS", str(tmp_path))
    assert locate("data/mine", revision=COMMIT) == mine.resolve()


def test_a_missing_shard_is_named(tmp_path):
    folder = model_folder(tmp_path / "mine")
    shards = {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": shards}))
    weights_file(folder / "model-00001-of-00002.safetensors")
    with pytest.raises(UserError, match=r"^model '.*mine': model-00002-of-00002.safetensors is not in .*mine; give"):
        locate(str(folder))


@pytest.mark.parametrize("model", ["./nowhere", "/no/where", "a/b/c"])
def test_a_folder_that_is_not_there(model):
    with pytest.raises(UserError, match=rf"^model '{model}': there is no such folder with a config.json; give a"):
        locate(model)


def test_a_hub_model_needs_a_revision():
    with pytest.raises(UserError, match=r"^model 'some/model': add `revision`, the commit on the hub that pins it, "):
        locate("some/model")


def test_weights_in_a_package():
    place = on_this_machine("sentence-transformers/all-MiniLM-L6-v2")
    assert place is not None and (place / "model.safetensors").is_file()


def test_the_digest_knows_every_file_and_no_path(tmp_path):
    one, other = model_folder(tmp_path / "one"), model_folder(tmp_path / "other")
    assert digest(one) == digest(other)
    (other / "config.json").write_text('{"layers": 3}')
    assert digest(one) != digest(other)

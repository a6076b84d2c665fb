"""`check` reads content as `run` will: what would stop a run hours later is one line before it."""

from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from orchestration.settings import Settings
from recsys.content.encoders.text.tfidf_svd import TfidfSvd
from recsys.run import run
from recsys.study.file import load_study
from recsys.study.judgement import Judgement
from tests.local_server import listening
from tests.orchestration.command_line import call, complaint, printed

ITEMS = 40
STUDY = """
title: A shop
datasets:
  shop:
    source: {{reader: table, folder: data, interactions: r.csv, items: i.csv, title_column: title,
      text_columns: [description]{source}}}
    split: {{protocol: ratio}}
{descriptions}    content:
{content}
models:
  TopPop:
  ItemKNN: {{n_neighbours: 20}}
  AttributeItemKNN:
tuning: {{trials: 1}}
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A shop of 60 people and 40 items, each with a title and words."""
    data = tmp_path / "data"
    data.mkdir()
    rows = [f"{u},{(u * 7 + k * 3) % ITEMS}" for u in range(60) for k in range(10)]
    (data / "r.csv").write_text("user_id,item_id\n" + "\n".join(rows), encoding="utf-8")
    goods = [f"{i},Item {i},words {i % 7} and {i % 3},kind {i % 6}" for i in range(ITEMS)]
    (data / "i.csv").write_text("item_id,title,description,category\n" + "\n".join(goods), encoding="utf-8")
    return Settings(home=tmp_path / "home", studies=tmp_path, data=tmp_path, workers=1)


def write(settings: Settings, content: str, descriptions: str = "", source: str = "") -> None:
    content = "".join(f"      {line}\n" for line in content.strip().splitlines())
    if descriptions:
        lines = "".join(f"      {line}\n" for line in descriptions.strip().splitlines())
        descriptions = f"    descriptions:\n{lines}"
    text = STUDY.format(content=content, descriptions=descriptions, source=source and f", {source}")
    (settings.studies / "shop.yaml").write_text(text, encoding="utf-8")


def data(settings: Settings) -> Path:
    return settings.studies / "data"


def refused(settings: Settings) -> list[str]:
    """The lines with a cross that `check` prints; `run` and its dry run must stop at one, before anything is made."""
    result = call(settings, "check", "shop")
    assert result.exit_code == 2, result.stdout
    assert result.stderr.startswith("study shop cannot be run as it is: fix ")
    lines = [line.removeprefix("✗ ") for line in result.stdout.splitlines() if line.startswith("✗")]
    assert complaint(settings, "run", "shop") in lines
    assert complaint(settings, "run", "shop", "--dry-run") in lines
    assert not list(settings.store.glob("shop/*"))
    return lines


def pictures(settings: Settings, *ids: int) -> None:
    (data(settings) / "photos").mkdir(exist_ok=True)
    for i in ids:
        Image.new("RGB", (40, 40), (i * 6, 90, 200 - i * 4)).save(data(settings) / "photos" / f"{i}.png")


def answered(settings: Settings) -> Judgement:
    """What the study says where nobody checks it first: a run by the library alone."""
    file = settings.studies / "shop.yaml"
    text = file.read_text(encoding="utf-8").replace("  TopPop:\n", "  Random:\n  TopPop:\n  EASE:\n")
    file.write_text(text, encoding="utf-8")
    judgement = run(load_study(file), settings.home, data=[settings.studies], workers=1)["shop"].judgement
    assert judgement is not None
    return judgement


Prepare = Callable[[Path], object]
CORPUS = "words: {file: d.csv, fields: [Type]}"
KEYWORDS = "said: {encoder: keywords, corpus: words}"


def corpus(text: str, encoding: str = "utf-8") -> Prepare:
    return lambda folder: (folder / "d.csv").write_bytes(text.encode(encoding))


def matrix(array: np.ndarray) -> Prepare:
    return lambda folder: np.save(folder / "m.npy", array, allow_pickle=True)


def nothing(folder: Path) -> None:
    """The files are there already."""


@pytest.mark.parametrize(
    ("prepare", "descriptions", "content", "line"),
    [
        (
            corpus("item_id,answer\n" + "\n".join(f"x{i},[Type] {{a}}" for i in range(ITEMS))),
            CORPUS,
            KEYWORDS,
            "descriptions shop/words: {data}/d.csv: none of its 40 answers is about an item of the dataset",
        ),
        (
            corpus("item_id,answer\n" + "\n".join(f"{i},[Type] {{a}}, [Style] {{b}}" for i in range(ITEMS))),
            CORPUS,
            KEYWORDS,
            "descriptions shop/words: {data}/d.csv: no row can be used: 40 of 40 rows have 3 fields where",
        ),
        (
            corpus("item_id,answer\n" + "\n".join(f"{i},[Type] {{\u304b\u3070}}" for i in range(ITEMS)), "cp932"),
            CORPUS,
            KEYWORDS,
            "descriptions shop/words: {data}/d.csv: is not UTF-8, and which encoding it is cannot be told; name it in",
        ),
        (
            matrix(np.random.default_rng(0).standard_normal((ITEMS - 1, 4))),
            "",
            "image: {encoder: matrix_file, file: m.npy}",
            "content shop/image: {data}/m.npy: has 39 rows, and item '39' needs row 39, counted from 0",
        ),
        (
            matrix(np.array([{"a": 1}] * ITEMS)),
            "",
            "image: {encoder: matrix_file, file: m.npy}",
            "content shop/image: {data}/m.npy: damaged, or made of Python objects",
        ),
        (
            matrix(np.full((ITEMS, 4), np.nan)),
            "",
            "image: {encoder: matrix_file, file: m.npy}",
            "content shop/image: encoder matrix_file: 0 of 40 items (0.0 %) have it: see the columns or the file",
        ),
        (
            nothing,
            "",
            "image: {encoder: matrix_file, file: gone.npy}",
            "content shop/image: {data}/gone.npy: there is no such file",
        ),
        (
            nothing,
            "",
            "kind: {encoder: attributes, columns: [genres]}",
            "content shop/kind: encoder 'attributes': items have no column 'genres'; they have item_id, title",
        ),
        (
            nothing,
            "",
            "text: {encoder: tfidf_svd, fields: [categori]}",
            "content shop/text: encoder 'tfidf_svd': items have no column 'categori'; did you mean 'category'?",
        ),
        (
            nothing,
            "",
            "text: {encoder: sentence_transformer, model: nobody/no-model, revision: abcdef0}",
            "content shop/text: model 'nobody/no-model': cannot fetch model.safetensors from the hub (",
        ),
        (
            nothing,
            "",
            "text: {encoder: sentence_transformer, model: nobody/no-model}",
            "content shop/text: model 'nobody/no-model': add `revision`, the commit on the hub that pins it",
        ),
        (
            nothing,
            "",
            "text: {encoder: sentence_transformer, model: models/of/mine}",
            "content shop/text: model 'models/of/mine': there is no such folder with a config.json",
        ),
        (
            nothing,
            "",
            "image: {encoder: visual_descriptors}",
            "content shop/image: encoder visual_descriptors: 0 of 40 items (0.0 %) have it: give the reader `images`",
        ),
        (
            nothing,
            "",
            "image: {encoder: torchvision_backbone, model: resnet51}",
            "content shop/image: model 'resnet51': torchvision has no such classification model; did you mean",
        ),
        (
            corpus("item_id,answer\n" + "\n".join(f"{i},[Type] {{a}}" for i in range(ITEMS))),
            CORPUS,
            "said: {encoder: hidden_states, corpus: words}",
            "content shop/said: encoder 'hidden_states': needs a description corpus that a model of this study writes",
        ),
        (
            corpus("item_id,answer\n" + "\n".join(f"{i},[Type] {{a}}" for i in range(ITEMS))),
            "words: {file: d.csv, fields: [Type], truth: {Type: kategory}}",
            KEYWORDS,
            "descriptions shop/words: `truth`: items have no column 'kategory'; did you mean 'category'?",
        ),
        (
            corpus("item_id,answer\n" + "\n".join(f"{i},[Type] {{a}}" for i in range(ITEMS))),
            "words: {file: d.csv, fields: [Type], truth: {Tipe: category}}",
            KEYWORDS,
            "descriptions shop/words: `truth`: `fields` has no field 'Tipe'; did you mean 'Type'?",
        ),
    ],
)
def test_broken_content_is_one_line_before_any_training(
    settings: Settings, prepare: Prepare, descriptions: str, content: str, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    prepare(data(settings))
    write(settings, content, descriptions)
    (found,) = refused(settings)
    assert found.startswith(line.format(data=data(settings)))


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
            marks=pytest.mark.skipif(torch.cuda.is_available(), reason="there is one"),
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


def test_covered_items_are_counted_and_broken_pictures_are_named(settings: Settings) -> None:
    pictures(settings, *range(36))
    for i in (3, 4, 5):
        file = data(settings) / "photos" / f"{i}.png"
        file.write_bytes(file.read_bytes()[:-30])
    (data(settings) / "photos" / "6.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n{ } loop\n")
    (data(settings) / "photos" / "039.png").write_bytes(b"")
    write(settings, "text: {encoder: tfidf_svd}\nimage: {encoder: visual_descriptors}", source="images: photos")
    shown = printed(settings, "check", "shop")
    assert "✓ content shop/text: encoder tfidf_svd: 40 of 40 items (100.0 %) have it" in shown
    assert "✓ content shop/image: encoder visual_descriptors: 32 of 40 items (80.0 %) have it" in shown
    assert "quarantined 3 images: picture is truncated (3, 4, 5)" in shown
    assert "quarantined 1 image: not a picture of a known format (JPEG, PNG, WEBP, GIF, BMP, AVIF, TIFF) (6)" in shown
    assert "picture is named by no item's id, but for its leading zeros (039.png / 39)" in shown


def test_few_covered_items_and_items_that_are_all_alike_are_warned_of(settings: Settings) -> None:
    pictures(settings, 0, 1, 2, 3, 4)
    write(settings, "image: {encoder: visual_descriptors}", source="images: photos")
    shown = printed(settings, "check", "shop")
    assert (
        "! content shop/image: encoder visual_descriptors: 5 of 40 items (12.5 %) have it; such as '5', '6', '7' have"
        in shown
    )
    for i in range(ITEMS):
        Image.new("RGB", (40, 40)).save(data(settings) / "photos" / f"{i}.png")
    alike = "40 of 40 items (100.0 %) have it, but all are the same: no verdict can"
    assert f"! content shop/image: encoder visual_descriptors: {alike}" in printed(settings, "check", "shop")


def test_an_encoder_that_takes_long_is_tried_on_some_items(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TfidfSvd, "quick", False)
    write(settings, "text: {encoder: tfidf_svd}")
    tried = "32 of 32 items (100.0 %) have it, of those that were tried"
    assert f"✓ content shop/text: encoder tfidf_svd: {tried}" in printed(settings, "check", "shop")


@pytest.mark.parametrize("part", ["image", "text", "concat"])
def test_trained_encoders_count_what_they_will_be_shown_without_being_loaded(
    settings: Settings, part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recsys.content.pretrained.encoder.find", lambda *_: None)
    pictures(settings, *range(30))
    write(settings, f"joint: {{encoder: image_text, part: {part}, device: cpu}}", source="images: photos")
    n = {"image": "30 of 40 items (75.0 %)"}.get(part, "40 of 40 items (100.0 %)")
    assert f"✓ content shop/joint: encoder image_text: {n} have it" in printed(settings, "check", "shop")


def test_a_study_without_its_data_says_so_once(settings: Settings) -> None:
    write(settings, "\n".join(f"s{n}: {{encoder: tfidf_svd, dim: {n + 2}}}" for n in range(13)))
    data(settings).rename(settings.studies / "elsewhere")
    result = call(settings, "check", "shop")
    assert result.exit_code == 2
    assert result.stdout.count("is not there") == 1
    assert result.stderr == "study shop cannot be run as it is: fix dataset shop\n"


@pytest.mark.parametrize(
    ("model", "line"),
    [
        ("EASE: {L2: 3}", "model EASE: EASE: hyper-parameter 'L2': Extra inputs are not permitted (known: l2)"),
        ("EASE: {l2: []}", "model EASE: EASEConfig: the list of choices for 'l2' is empty: name at least one"),
        ("EASE: {l2: [1, x]}", "model EASE: EASE: hyper-parameter 'l2': Input should be a valid number"),
        ("EASE: {l2: .inf}", "model EASE: EASE: hyper-parameter 'l2': inf is no value; write a finite number"),
        ("EASE: {mirror: 0.1}", "model EASE: EASE: hyper-parameter 'mirror': Extra inputs are not permitted"),
        ("BPRMF: {mirror: [0, -1]}", "model BPRMF: BPRMF: hyper-parameter 'mirror': Input should be greater than"),
        ("BPRMF: {mirror_interval: 0}", "model BPRMF: BPRMF: hyper-parameter 'mirror_interval': Input should be"),
    ],
)
def test_hyper_parameters_that_tuning_would_refuse_stop_a_run_before_it_begins(
    settings: Settings, model: str, line: str
) -> None:
    write(settings, "text: {encoder: tfidf_svd}")
    file = settings.studies / "shop.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("  TopPop:", f"  TopPop:\n  {model}"), encoding="utf-8")
    (found,) = refused(settings)
    assert found.startswith(line)


@pytest.mark.parametrize("with_content", [True, False])
@pytest.mark.parametrize(
    ("spoil", "line"),
    [
        (lambda folder: folder.rename(folder.with_name("away")), "'data' is not there"),
        (lambda folder: (folder / "r.csv").unlink(), "r.csv: there is no such file"),
        (lambda folder: (folder / "r.csv").write_bytes(b"\0\1garbage"), "r.csv: no row can be used"),
        (lambda folder: (folder / "i.csv").write_text("item_id,title,description\n"), "i.csv: "),
        (lambda folder: (folder / "r.csv").write_text("user_id,item_id\nu,0\n"), "leaves "),
    ],
    ids=["no folder", "no file", "garbage", "no items", "too little"],
)
def test_data_that_cannot_be_read_stop_a_run_and_its_dry_run_alike(
    settings: Settings, with_content: bool, spoil: Prepare, line: str
) -> None:
    write(settings, "text: {encoder: tfidf_svd}")
    if not with_content:
        text = (settings.studies / "shop.yaml").read_text(encoding="utf-8")
        bare = text.replace("content:", "scenario:").replace("text: {encoder: tfidf_svd}", "domain: shop")
        (settings.studies / "shop.yaml").write_text(bare.replace("  AttributeItemKNN:\n", ""), encoding="utf-8")
    spoil(data(settings))
    (found,) = refused(settings)
    assert found.startswith("dataset shop: ") and line in found


def test_models_without_settings_share_a_line(settings: Settings) -> None:
    write(settings, "text: {encoder: tfidf_svd}")
    shown = printed(settings, "check", "shop")
    assert "✓ model ItemKNN: n_neighbours=20" in shown
    assert "✓ models: TopPop, AttributeItemKNN, with ranges of their own" in shown


def test_a_run_that_has_nothing_to_encode_reads_no_content(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(settings, "text: {encoder: tfidf_svd}")
    printed(settings, "run", "shop", "--select", '+key:"shop/embeddings/text"')

    def fail(*_: object) -> None:
        raise AssertionError("read again")

    monkeypatch.setattr("recsys.study.checking.check_content", fail)
    printed(settings, "run", "shop", "--select", '+key:"shop/embeddings/text" or key:"shop/models/TopPop"')


def test_no_verdict_is_given_on_pictures_that_nobody_has(settings: Settings) -> None:
    write(settings, "image: {encoder: visual_descriptors}")
    judgement = answered(settings)
    assert judgement.overall.name == "not_ready"
    assert judgement.overall.sentence.startswith("Not ready to be answered. None of 40 items has image.")


def test_no_verdict_is_given_where_all_items_are_alike(settings: Settings) -> None:
    rows = "\n".join(f"{i},Same,words" for i in range(ITEMS))
    (data(settings) / "i.csv").write_text(f"item_id,title,description\n{rows}", encoding="utf-8")
    write(settings, "text: {encoder: tfidf_svd}")
    assert "all are the same: no verdict can rest on 'text'" in printed(settings, "check", "shop")
    judgement = answered(settings)
    assert judgement.overall.name == "not_ready"
    assert "The 40 items with text have 1 distinct rows" in judgement.overall.sentence


def test_no_verdict_is_given_where_anything_is_right(settings: Settings) -> None:
    """Three people with one candidate left for each: Random is as good as the best."""
    rows = "\n".join(f"{u},{i}" for u in range(3) for i in range(3))
    (data(settings) / "r.csv").write_text(f"user_id,item_id\n{rows}", encoding="utf-8")
    (data(settings) / "i.csv").write_text("item_id,title,description\n0,a,\n1,b,\n2,c,", encoding="utf-8")
    write(settings, "text: {encoder: attributes, columns: [title]}")
    judgement = answered(settings)
    assert judgement.overall.name == "not_ready"
    assert any(gate.message.startswith("Nothing beats Random") for gate in judgement.gates if gate.colour == "red")

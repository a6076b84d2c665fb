"""Every key of a study file that changes a result changes the version of what computes it."""

import copy
import re
from collections.abc import Iterator, Sequence
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from assets.study_nodes import study_nodes
from recsys.study.study import Study

FULL: dict[str, Any] = {
    "title": "A shop",
    "datasets": {
        "shop": {
            "source": {"reader": "table", "folder": "shop", "interactions": "rows.csv", "items": "items.csv"},
            "descriptions": {
                "read": {"file": "answers.csv", "fields": ["Colour", "Shape"]},
                "asked": {"model": "market_describer", "prompt": "market_fields"},
            },
            "content": {
                "text": {"encoder": "tfidf_svd", "fields": ["title", "text"], "dim": 8},
                "image": {"encoder": "visual_descriptors", "dim": 8},
                "words": {"encoder": "keywords", "corpus": "read"},
                "lvlm": {"encoder": "hidden_states", "corpus": "asked"},
            },
            "both": ["text", "image"],
            "questions": [{"ask": "Does text beat its shuffled self?", "better": "text", "than": "shuffled"}],
            "published": {"source": "A paper", "rows": {"ItemKNN": {"recall_at_20": 0.1}}},
        }
    },
    "models": {
        "ItemKNN": {"n_neighbours": [10, 20]},
        "HybridItemKNN": {"arms": ["text", "image"]},
        "VBPR": {"arms": ["text"]},
        "AttributeItemKNN": None,
    },
    "ensembles": {"Together": {"of": ["VBPR", "HybridItemKNN"]}},
    "tuning": {"minutes": 5},
    "repeats": 2,
}
SHOP = "datasets.shop"
CHANGES: list[tuple[str, Any]] = [
    ("title", "Our shop"),
    ("question", "Does the text help?"),
    ("models.ItemKNN.n_neighbours", [20, 10]),
    ("models.HybridItemKNN.arms", ["text"]),
    ("ensembles.Together.of", ["HybridItemKNN", "VBPR"]),
    ("ensembles.Together.by", "scores"),
    ("ensembles.Together.each_source", True),
    ("controls", ["noise"]),
    ("controls_of_each", ["noise"]),
    ("repeats", 3),
    ("keep_states", "none"),
    ("evaluation.ks", [5, 20]),
    ("evaluation.primary", "recall_at_20"),
    ("evaluation.mask", "train"),
    ("evaluation.n_negatives", 100),
    ("evaluation.negatives_seed", 1),
    ("evaluation.ndcg", "retrieved"),
    ("tuning.trials", 7),
    ("tuning.minutes", 6),
    ("tuning.prune", False),
    ("tuning.seed", 1),
    ("statistics.margin", 0.03),
    ("statistics.resamples", 500),
    ("statistics.seed", 1),
    (f"{SHOP}.source.folder", "other"),
    (f"{SHOP}.source.items", "other.csv"),
    (f"{SHOP}.cleaning.min_rating", 3),
    (f"{SHOP}.cleaning.k_core", {"users": 5}),
    (f"{SHOP}.split.protocol", "leave_one_out"),
    (f"{SHOP}.split.valid", 0.2),
    (f"{SHOP}.split.test", 0.2),
    (f"{SHOP}.split.seed", 1),
    (f"{SHOP}.split.rounding", "floor"),
    (f"{SHOP}.descriptions.read.file", "others.csv"),
    (f"{SHOP}.descriptions.read.fields", ["Colour"]),
    (f"{SHOP}.descriptions.read.id_column", "id"),
    (f"{SHOP}.descriptions.read.text_column", "words"),
    (f"{SHOP}.descriptions.read.truth", {"Colour": "colour"}),
    (f"{SHOP}.descriptions.asked.model", "other/model"),
    (f"{SHOP}.descriptions.asked.inputs", ["text"]),
    (f"{SHOP}.content.image.encoder", "torchvision_backbone"),
    (f"{SHOP}.content.text.fields", ["title"]),
    (f"{SHOP}.content.words.corpus", "asked"),
    (f"{SHOP}.both", ["text", "lvlm"]),
    (f"{SHOP}.questions", []),
    (f"{SHOP}.scenario.domain", "retail"),
    (f"{SHOP}.scenario.feedback", "purchases"),
    (f"{SHOP}.scenario.seen_before_choosing", ["image"]),
    (f"{SHOP}.scenario.item_kinds", "chairs"),
    (f"{SHOP}.scenario.date_of_data", "2024"),
    (f"{SHOP}.published.source", "Another paper"),
    (f"{SHOP}.published.rows", {"ItemKNN": {"recall_at_20": 0.2}}),
    (f"{SHOP}.published.doubts", {"ItemKNN": "another split"}),
]
ELSEWHERE = {
    "name": "names the study's report",
    f"{SHOP}.source.reader": "names the code that a dataset is read by, and takes options of its own",
    f"{SHOP}.published.table": "writes `source`, `rows` and `doubts`",
}
"""Keys that no change above is about, with the reason."""
FREE = [
    (f"{SHOP}.content.lvlm.batch_size", 4),
    (f"{SHOP}.content.image.workers", 2),
    (f"{SHOP}.descriptions.asked.batch_size", 4),
]
"""Options of speed."""


def study(path: str = "", value: Any = None) -> Study:
    """The study, with another value in one place."""
    given = copy.deepcopy(FULL)
    *parents, last = path.split(".") if path else ["title"]
    part = given
    for parent in parents:
        part = part.setdefault(parent, {})
    if path:
        assert part.get(last) != value
        part[last] = value
    return Study(name="shop", **given)


def versions(of: Study) -> dict[str, str]:
    """The version of every asset by itself, its inputs left out."""
    return {node.asset.removeprefix("shop/"): node.version for node in study_nodes(of)}


def changed(path: str, value: Any) -> set[str]:
    before, after = versions(study()), versions(study(path, value))
    return {asset for asset in before | after if before.get(asset) != after.get(asset)}


def keys_of(model: type[BaseModel], place: Sequence[str] = ()) -> Iterator[str]:
    """Every key of a study file, as the changes write it; those of parts by name are of the parts in `FULL`."""
    for name, field in model.model_fields.items():
        inner = [each for each in (field.annotation, *get_args(field.annotation)) if _is_part(each)]
        names = {"datasets": ["shop"], "descriptions": ["read"], "content": ["text"], "ensembles": ["Together"]}
        for key in names.get(name, [""]):
            path = [*place, name, *([key] if key else [])]
            yield from keys_of(inner[0], path) if inner and name not in ("questions", "k_core") else [".".join(path)]


def _is_part(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


@pytest.mark.parametrize(("path", "value"), CHANGES, ids=[path for path, _ in CHANGES])
def test_a_key_that_changes_results_changes_a_version(path: str, value: Any) -> None:
    assert changed(path, value)


def test_every_key_is_changed_by_the_test_above_or_has_its_reason() -> None:
    written = {_of_any(path) for path, _ in CHANGES} | {_of_any(path) for path in ELSEWHERE}
    assert {_of_any(path) for path in keys_of(Study)} - {"models"} <= written


def _of_any(path: str) -> str:
    """A key without the name of the source or the corpus that it is a key of."""
    return re.sub(r"\b(descriptions|content)\.\w+", r"\1", path)


def test_the_fused_sources_count_wherever_they_are_compared() -> None:
    analyses = {"analyses/beyond_accuracy", "analyses/integration"}
    expected = {"models/AttributeItemKNN", "controls", "verdict", *analyses, "report"}
    assert changed(f"{SHOP}.both", ["text", "lvlm"]) == expected


@pytest.mark.parametrize("path", ["tuning.trials", "tuning.minutes"])
def test_a_budget_counts_where_remedies_speak_of_it(path: str) -> None:
    """More of it may find the same settings."""
    assert "verdict" in changed(path, dict(CHANGES)[path])


@pytest.mark.parametrize("path", [f"{SHOP}.content.text.fields", f"{SHOP}.descriptions.asked.inputs"])
def test_what_a_source_reads_counts_where_sources_are_judged(path: str) -> None:
    """The vectors may be the same, as where no item has a text, and then are no change of an input."""
    assert {"controls", "verdict", "report"} <= changed(path, dict(CHANGES)[path])


@pytest.mark.parametrize("path", ["models.ItemKNN.n_neighbours", "ensembles.Together.by"])
def test_controls_count_what_they_train_models_and_add_ensembles_with(path: str) -> None:
    """Results of the models' own arms may be the same under both settings."""
    assert "controls" in changed(path, dict(CHANGES)[path])


def test_the_order_of_models_counts_where_the_first_of_equals_is_the_best() -> None:
    turned = study().model_copy(update={"models": dict(reversed(study().models.items()))})
    before, after = versions(study()), versions(turned)
    assert {"controls", "metrics"} <= {asset for asset in before if before[asset] != after[asset]}


@pytest.mark.parametrize(("path", "value"), FREE)
def test_options_of_speed_change_no_version(path: str, value: Any) -> None:
    assert changed(path, value) == set()

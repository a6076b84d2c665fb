"""Hyper-parameters as a study gives them."""

import pytest

from orchestration.settings import Settings
from tests.orchestration.check.catalogue import refused, write
from tests.orchestration.command_line import printed

SEARCHED = "a value fixes it, a list is searched, and without the key its own range is searched"
DEFAULT = "a value fixes it, a list is searched, and without the key it has its default"


@pytest.mark.parametrize(
    ("model", "line"),
    [
        ("EASE: {L2: 3}", "model EASE: L2: there is no such key; did you mean 'l2'?"),
        ("EASE: {l2: []}", f"model EASE: l2: must be one value at least, not []; {SEARCHED}"),
        ("EASE: {l2: [1, x]}", f"model EASE: l2: must be a number, not 'x'; {SEARCHED}"),
        ("EASE: {l2: .inf}", f"model EASE: l2: must be a finite number, not inf; {SEARCHED}"),
        ("EASE: {l2: 1e400}", f"model EASE: l2: must be a finite number, not '1e400'; {SEARCHED}"),
        ("EASE: {l2: [1, 1e400]}", f"model EASE: l2: must be a finite number, not '1e400'; {SEARCHED}"),
        (
            "EASE: {l2: {low: 1, high: 3}}",
            f"model EASE: l2: must be a number, not {{low: 1, high: 3}}; {SEARCHED}",
        ),
        ("EASE: {l2: }", f"model EASE: l2: must be a number, not empty; {SEARCHED}"),
        ("EASE: {l2: [1, 2, 1.0]}", "model EASE: l2: 1.0 stands among its choices twice; write each choice once"),
        (
            "BPRMF: {learning_rate: 1000}",
            f"model BPRMF: learning_rate: must be 1 or less, not 1000; {SEARCHED}",
        ),
        ("EASE: {l2: yes}", "model EASE: l2: write a number; YAML reads what is written there as true"),
        ("EASE: {mirror: 0.1}", "model EASE: mirror: there is no such key"),
        (
            "BPRMF: {mirror: [0, -1]}",
            f"model BPRMF: mirror: must be 0 or more, not -1; {DEFAULT}",
        ),
        ("BPRMF: {mirror_interval: 0}", "model BPRMF: mirror_interval: must be "),
        (
            "BM3@published/baby: {n_layers: x}",
            "model BM3@published/baby: n_layers: must be a whole number, not 'x'; "
            "a value replaces the preset's, which stands without the key",
        ),
        ("BM3@published/baby: {n_layer: 2}", "model BM3@published/baby: n_layer: there is no such key; did you mean"),
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


def test_models_without_settings_share_a_line(settings: Settings) -> None:
    write(settings, "text: {encoder: tfidf_svd}")
    shown = printed(settings, "check", "shop")
    assert "✓ model ItemKNN: n_neighbours=20" in shown
    assert "✓ models: TopPop, AttributeItemKNN, with ranges of their own" in shown


def test_content_that_no_model_takes_is_warned_of(settings: Settings) -> None:
    write(settings, "text: {encoder: tfidf_svd, dim: 4}")
    assert "none of the models takes content" not in printed(settings, "check", "shop")
    file = settings.studies / "shop.yaml"
    file.write_text(file.read_text().replace("  AttributeItemKNN:\n", ""))
    assert "! models: none of the models takes content" in printed(settings, "check", "shop")

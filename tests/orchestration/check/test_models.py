"""Hyper-parameters as a study gives them."""

import pytest

from orchestration.settings import Settings
from tests.orchestration.check.catalogue import refused, write
from tests.orchestration.command_line import printed


@pytest.mark.parametrize(
    ("model", "line"),
    [
        ("EASE: {L2: 3}", "model EASE: EASE: hyper-parameters: L2: there is no such key; did you mean 'l2'?"),
        ("EASE: {l2: []}", "model EASE: EASEConfig: the list of choices for 'l2' is empty: name at least one"),
        ("EASE: {l2: [1, x]}", "model EASE: EASE: hyper-parameters: l2: Input should be a valid number"),
        ("EASE: {l2: .inf}", "model EASE: EASE: hyper-parameters: l2: inf is no value; write a finite number"),
        ("EASE: {mirror: 0.1}", "model EASE: EASE: hyper-parameters: mirror: there is no such key"),
        ("BPRMF: {mirror: [0, -1]}", "model BPRMF: BPRMF: hyper-parameters: mirror: Input should be greater than"),
        ("BPRMF: {mirror_interval: 0}", "model BPRMF: BPRMF: hyper-parameters: mirror_interval: Input should be"),
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

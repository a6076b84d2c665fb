"""What the table beside MMRec says of measurements, and that each row names fields that both sides have."""

import pytest
from _mmrec_rows import ROWS, Row
from beside_mmrec import jobs, line, table
from calibration.page import rows_of_section, with_section

from recsys.models import registry

ROW = Row("VBPR", {"reg_weight": 0.01}, {"norm_weight": 0.01}, faster=5)


def measured(recall: float, epoch: float) -> dict[str, float]:
    return {
        "epochs": 10,
        "epoch_s": epoch,
        "evaluation_s": epoch / 2,
        "recall_at_20": recall,
        "ndcg_at_20": recall / 2,
        "memory_mib": 1024,
    }


def test_a_row_has_means_over_seeds_the_gap_and_how_many_times_less_time_ours_takes() -> None:
    shown = line(ROW, [measured(0.30, 4.0), measured(0.50, 6.0)], [measured(0.41, 1.0), measured(0.41, 1.0)], 1000)
    assert (shown["Recall@20 MMRec"], shown["ours"], shown["gap"]) == ("0.4000", "0.4100", "+2.5 %")
    assert (shown["times"], shown["wanted"], shown["to convergence, times"]) == ("5.0", "5", "5.0")


def test_of_a_training_that_was_cut_short_only_the_speed_is_given() -> None:
    shown = line(ROW, [measured(0.30, 4.0)], [measured(0.41, 1.0)], max_epochs=10)
    assert {shown[name] for name in ("Recall@20 MMRec", "ours", "gap", "to convergence, times")} == {"-"}
    assert (shown["times"], shown["evaluation, times"]) == ("4.0", "4.0")


def test_trainings_cut_short_at_the_same_epoch_have_accuracies_and_no_time_to_convergence() -> None:
    shown = line(ROW, [measured(0.40, 4.0) | {"epochs": 20}], [measured(0.41, 1.0) | {"epochs": 20}], max_epochs=20)
    assert (shown["Recall@20 MMRec"], shown["gap"], shown["to convergence, times"]) == ("0.4000", "+2.5 %", "-")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.model)
def test_ours_is_a_setting_of_the_model(row: Row) -> None:
    config = registry.load(row.model).from_params(**row.ours).config
    assert {key: getattr(config, key) for key in row.ours} == row.ours


def test_both_sides_get_the_same_batches_rate_and_stopping_rule() -> None:
    theirs, ours = jobs(ROW, "lastfm-2k", seed=3, max_epochs=7)
    assert {key: theirs[key] for key in ("batch_size", "learning_rate", "patience", "seed")} == {
        key: ours[key] for key in ("batch_size", "learning_rate", "patience", "seed")
    }


def test_a_page_keeps_the_rows_of_models_that_were_not_measured_again() -> None:
    def page(*shown: str) -> str:
        return "\n".join(["# Beside MMRec", "<!-- baby -->", *shown, "<!-- end of baby -->", "| VBPR | elsewhere |"])

    first = [{"model": "VBPR", "gap": "+2.5 %", "ours": "-"}, {"model": "BPRMF", "gap": "-1.0 %", "ours": "-"}]
    written = with_section(page(), "baby", table(first, rows_of_section(page(), "baby")))
    assert list(rows_of_section(written, "baby")) == ["BPRMF", "VBPR"]
    again = [{"model": "VBPR", "gap": "+0.1 %", "ours": "-"}, {"model": "MGCN", "gap": "+0.2 %", "ours": "1"}]
    rows = rows_of_section(with_section(written, "baby", table(again, rows_of_section(written, "baby"))), "baby")
    assert [list(row.values()) for row in rows.values()] == [
        ["BPRMF", "-1.0 %", "-"],
        ["VBPR", "+0.1 %", "-"],
        ["MGCN", "+0.2 %", "1"],
    ]

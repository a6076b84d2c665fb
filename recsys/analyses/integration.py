"""How content is put together: one model over all sources, or an ensemble of one model per source."""

from collections.abc import Sequence

import pandas as pd

from recsys.analyses.base import Analysis, Inputs, Table, comparison_cells
from recsys.evaluation.evaluate import Evaluator
from recsys.evidence.comparison import compare
from recsys.evidence.scores import Pair, label
from recsys.evidence.wording import metric_name
from recsys.study.added_lists import Added, Weighting, best_of, choose
from recsys.study.selection import best_real, has_verdict
from recsys.study.stored_lists import StoredLists
from recsys.study.study import Study
from recsys.wording import whole_percent

MOST_MEMBERS = 4
"""Models of an ensemble, one a source."""
COLUMNS = ["fusion", "ensemble", "metric", "mean_a", "mean_b", "lift", "lift_low", "lift_high", "p_value", "relation"]


class Integration(Analysis):
    """The best model over the fused sources against the best models of its single sources, added up."""

    title = "Fusion in one model, or an ensemble of one model per source"
    needs = ("dataset", "controls", "metrics")
    tables = ("integration", "weights")
    position = 26

    def applies(self, study: Study, name: str) -> bool:
        """Where content is compared and several sources are fused."""
        fused = study.datasets[name].fused
        return has_verdict(study, name) and fused is not None and 2 <= len(fused.sources) <= MOST_MEMBERS

    def settings(self, study: Study, name: str) -> object:
        """The statistics, how lists are evaluated, and which sources are fused."""
        return study.statistics.model_dump(), study.evaluation.model_dump(), repr(study.datasets[name].fused)

    def compute(self, inputs: Inputs) -> dict[str, pd.DataFrame]:
        """The comparison, and the weights that validation chose in each repeat; no rows where an arm is missing."""
        fused = inputs.study.datasets[inputs.name].fused
        assert fused is not None
        together = _best(inputs, fused.sources)
        single = {source: _best(inputs, (source,)) for source in fused.sources}
        members = [pair for pair in single.values() if pair is not None]
        if together is None or len(members) < len(single):
            return {"integration": pd.DataFrame(columns=COLUMNS), "weights": pd.DataFrame({"repeat": []})}
        primary = inputs.study.evaluation.primary
        valid = [inputs.lists(pair, "valid") for pair in members]
        test = [inputs.lists(pair) for pair in members]
        chosen = [_chosen(valid, repeat) for repeat in range(len(test[0].rankings))]
        masked = [each.masked(inputs.study.evaluation.mask) for each in test]
        made = [
            Added([each[repeat] for each in masked], scale).combine(weights)
            for repeat, (scale, weights) in enumerate(chosen)
        ]
        ensemble = test[0].measure([primary], rankings=made)[primary]
        found = compare(inputs.scores[together], ensemble, inputs.study.statistics.options.without_p_users)
        row = {"fusion": label(*together), "ensemble": " + ".join(label(*pair) for pair in members), "metric": primary}
        figures = {name: getattr(found, name) for name in COLUMNS[3:]}
        weights = [
            {"repeat": repeat, "scale": scale, **dict(zip(single, each, strict=True))}
            for repeat, (scale, each) in enumerate(chosen, start=1)
        ]
        return {"integration": pd.DataFrame([row | figures]), "weights": pd.DataFrame(weights)}

    def show(self, tables: dict[str, pd.DataFrame]) -> list[Table]:
        """One row."""
        if tables["integration"].empty:
            return []
        (row,) = tables["integration"].to_dict("records")
        weights = tables["weights"]
        means = weights.drop(columns=["repeat", "scale"]).mean()
        said = ", ".join(f"{source} {whole_percent(share)}" for source, share in means.items())
        ranks = (weights["scale"] == "ranks").sum()
        return [
            Table(
                title="Fusion or ensemble",
                caption="One model over all sources against the weighted sum of one model per source. Weights, and "
                "whether scores or reciprocal ranks are added, are chosen on the validation lists of each repeat; "
                f"mean weights: {said}; ranks in {ranks} of {len(weights)} repeats.",
                columns=["Fusion", "Ensemble", "Metric", "Fusion", "Ensemble", "Lift", "95 % interval", "Relation"],
                rows=[
                    [
                        row["fusion"],
                        row["ensemble"],
                        metric_name(row["metric"]),
                        *comparison_cells(row),
                        row["relation"],
                    ]
                ],
                n_names=2,
            )
        ]


def _best(inputs: Inputs, sources: tuple[str, ...]) -> Pair | None:
    """The best model on the arm of these sources by validation; those of a study's own ensembles do not count."""
    best = best_real(arm for arm in inputs.results.arms if not arm.members and arm.sources == sources)
    return best.pair if best else None


def _chosen(valid: Sequence[StoredLists], repeat: int) -> Weighting:
    """What is added with which weights, by the validation lists of a repeat."""
    evaluator = Evaluator(valid[0].datasets[repeat], "valid", valid[0].protocol)
    return best_of(choose([each.rankings[repeat] for each in valid], evaluator.primary))

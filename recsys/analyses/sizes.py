"""What larger encoders buy: the model behind each source of content, its size, and the lift of that source alone."""

from typing import Any

import pandas as pd

from recsys.analyses.base import Analysis, Inputs, Table
from recsys.content.encoder import Checkpoint
from recsys.content.encoders import registry
from recsys.content.vlm.known import KNOWN as VLMS
from recsys.errors import UserError
from recsys.evidence.comparison import Comparison, compare, holm
from recsys.evidence.scores import label
from recsys.evidence.wording import interval
from recsys.study.dataset_spec import DatasetSpec
from recsys.study.selection import best_real, has_verdict
from recsys.study.study import Study
from recsys.wording import percent

UNKNOWN = "unknown"


class Sizes(Analysis):
    """Each source alone, by its best model on validation, against the best rival."""

    title = "Size of encoders and vision-language models against their lift"
    needs = ("embeddings", "controls", "metrics")
    tables = ("sizes",)
    position = 27

    def applies(self, study: Study, name: str) -> bool:
        """Where content is compared, of several sources, and a trained model is behind one of them."""
        spec = study.datasets[name]
        return has_verdict(study, name) and len(spec.content) > 1 and any(behind(spec, each) for each in spec.content)

    def settings(self, study: Study, name: str) -> object:
        """The statistics, and how each source is made."""
        spec = study.datasets[name]
        made = [(source, content.encoder, behind(spec, source)) for source, content in spec.content.items()]
        return study.statistics.model_dump(), made

    def compute(self, inputs: Inputs) -> dict[str, pd.DataFrame]:
        """One row per source that some model was trained on alone, the smallest first."""
        spec, options = inputs.study.datasets[inputs.name], inputs.study.statistics.options
        rival = inputs.scores[inputs.selection.rival]
        rows: list[dict[str, Any]] = []
        compared: list[Comparison] = []
        for source in spec.content:
            best = best_real(arm for arm in inputs.results.arms if arm.sources == (source,))
            if best is None:
                continue
            compared.append(compare(inputs.scores[best.pair], rival, options.without_p_users))
            checkpoint = _checkpoint(spec, source)
            rows.append(
                {
                    "source": source,
                    "encoder": spec.content[source].encoder,
                    "behind": behind(spec, source),
                    "megabytes": checkpoint.megabytes if checkpoint else None,
                    "dim": inputs.features[source].dim,
                    "model": label(*best.pair),
                }
            )
        figures = ("lift", "lift_low", "lift_high", "p_holm", "relation")
        found = [
            row | {name: getattr(each, name) for name in figures}
            for row, each in zip(rows, holm(compared), strict=True)
        ]
        columns = ["source", "encoder", "behind", "megabytes", "dim", "model", *figures]
        table = pd.DataFrame(found, columns=columns).astype({"megabytes": float})
        return {"sizes": table.sort_values("megabytes", kind="stable", na_position="first", ignore_index=True)}

    def show(self, tables: dict[str, pd.DataFrame]) -> list[Table]:
        """One table."""
        return [
            Table(
                title="Size against lift",
                caption="Each source alone, by its best model on validation, over the best rival. Size of the weights "
                "where it is known; time and energy of encoding are not recorded.",
                columns=[
                    "Source",
                    "Encoder",
                    "Model behind it",
                    "Weights",
                    "Columns",
                    "Lift",
                    "95 % interval",
                    "Relation",
                ],
                rows=[
                    [
                        row["source"],
                        row["encoder"],
                        row["behind"] or "none",
                        _size(row),
                        str(row["dim"]),
                        percent(row["lift"], signed=True),
                        interval(row["lift_low"], row["lift_high"]),
                        row["relation"],
                    ]
                    for row in tables["sizes"].to_dict("records")
                ],
            )
        ]


def behind(spec: DatasetSpec, source: str) -> str:
    """The trained model that a source comes from: of its corpus, or of its encoder; empty where there is none."""
    content = spec.content[source]
    corpus = spec.descriptions.get(content.corpus or "")
    if corpus is not None:
        return corpus.model or "descriptions from a file"
    if "file" in content.options:
        return "vectors from a file"
    return str(content.options.get("model") or _default_model(content.encoder))


def _default_model(encoder: str) -> str:
    """What an encoder takes where no model is written; empty where it has none, or cannot be loaded."""
    try:
        option = registry.load(encoder).Options.model_fields.get("model")
    except UserError:  # said where its vectors are made
        return ""
    return option.default if option is not None and isinstance(option.default, str) else ""


def _checkpoint(spec: DatasetSpec, source: str) -> Checkpoint | None:
    known = (*registry.load(spec.content[source].encoder).known, *VLMS)
    return next((each for each in known if each.model == behind(spec, source)), None)


def _size(row: dict[Any, Any]) -> str:
    if not row["behind"]:
        return "none"
    return UNKNOWN if pd.isna(row["megabytes"]) else f"{row['megabytes']:,.0f} MB"

"""`<dataset>/controls`: what the verdict compares, chosen on validation, and the controls it still needs."""

from collections.abc import Mapping
from functools import partial

import pandas as pd

from orchestration import keys
from orchestration.asset_factory import Making, Node
from orchestration.dagster_metadata import table
from orchestration.home import Home
from orchestration.lineage import Event
from orchestration.usable import unusable_sources, usable_study
from recsys.engine.code import model_code
from recsys.errors import UserError
from recsys.fingerprints import code_of, fingerprint
from recsys.models import registry
from recsys.study.controls import select_with_controls
from recsys.study.counting import cells_of_controls
from recsys.study.record import AssetRecord
from recsys.study.results import ModelResult
from recsys.study.selection import Selection, content_models, has_verdict
from recsys.study.study import Study


def node(study: Study, name: str) -> Node:
    """The asset of one dataset's controls."""
    primary = study.evaluation.primary_name
    spec = study.datasets[name]
    models = [(model, study.params_of(model), model_code(model, primary)) for model in _trained(study)]
    ensembles = [ensemble.model_dump() for ensemble in study.ensembles.values()]
    code = code_of("recsys.study.controls:select_with_controls")
    return Node(
        asset=keys.controls(name),
        group=name,
        inputs=[
            *(keys.model(name, row) for row in study.rows),
            *(keys.embeddings(name, source) for source in spec.content),
            keys.dataset(name),
        ],
        # By the margin it is decided which sources are hardly missed, and so which groups are trained.
        version=fingerprint(
            study.training_settings,
            study.statistics.margin,
            list(study.rows),
            models,
            ensembles,
            spec.comparison_identity,
            code,
        ),
        make=partial(make, study, name),
        show=show,
        description="Chosen on validation: the content model, its best rival without content, and their controls.",
        kinds=frozenset({"mlflow"}),
        cells=partial(cells_of_controls, study, name),
    )


def _trained(study: Study) -> list[str]:
    """Models that may be trained here: on controls, as members of an ensemble, or at settings of a related model."""
    judged = content_models(study)
    alone = [row for row in judged if row in study.models]
    members = [model for row in judged if row in study.ensembles for model in study.ensembles[row].of]
    related = [model for model in study.models if registry.related(model) & study.models.keys()]
    return list(dict.fromkeys([*alone, *members, *related]))


def make(study: Study, name: str, making: Making) -> AssetRecord:
    """Choose, and train what is missing."""
    from orchestration.trainings import Trainings

    whole, study = study, usable_study(study, name, making.home)
    if not has_verdict(study, name):
        why = next(iter(unusable_sources(whole, name, making.home).values()))
        raise UserError(f"dataset {name}: no source of content is of use, so there is no verdict: {why}")
    results = ModelResult.load_all([making.read[keys.model(name, row)] for row in study.rows])
    trainings = Trainings(making.home, study, name, asset=keys.controls(name), run=making.run)
    selection, made = select_with_controls(study, name, results, trainings.train)
    made.save(making.out)
    selection.save(making.out)
    return trainings.record(made, {"trained": len(made.arms)})


def show(home: Home, event: Event) -> Mapping[str, object]:
    """Who was chosen."""
    selection = Selection.load(home.folder(event))
    rows = [("content", *selection.content), ("rival", *selection.rival), ("shuffled", *selection.shuffled)]
    rows += [("untuned", *selection.untuned), ("popularity", *selection.popularity)]
    for source, pairs in selection.sources.sources.items():
        rows.append((f"source {source}", *pairs.own))
    return {"chosen_on_validation": table(pd.DataFrame(rows, columns=["role", "model", "arm"]))}

"""All assets of a study as nodes, upstream first."""

from assets import analyses, controls, dataset, descriptions, embeddings, ensembles, metrics, models, report, verdict
from orchestration.asset_factory import Node
from recsys.analyses.registry import applicable
from recsys.study.selection import has_verdict
from recsys.study.study import Study


def study_nodes(study: Study) -> list[Node]:
    """The nodes of every dataset, then the report."""
    return [*(node for name in study.datasets for node in _dataset_nodes(study, name)), report.node(study)]


def _dataset_nodes(study: Study, name: str) -> list[Node]:
    spec = study.datasets[name]
    nodes = [
        dataset.node(name, spec, study.n_repeats),
        *(descriptions.node(name, spec, corpus) for corpus in spec.descriptions),
        *(embeddings.node(name, spec, source) for source in spec.content),
        *(models.node(study, name, model) for model in study.models),
        *(ensembles.node(study, name, each) for each in study.ensembles),
    ]
    judged = has_verdict(study, name)
    if judged:
        nodes.append(controls.node(study, name))
    nodes.append(metrics.node(study, name))
    if judged:
        nodes.append(verdict.node(study, name))
    return [*nodes, *(analyses.node(study, name, *pair) for pair in applicable(study, name).items())]

"""Whether the parts of a study agree: no name stands for two things, and each stands for one that is there.

What is wrong with a key by itself is found where the key is declared; here is mostly what takes two of them to see.
"""

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, get_args

from recsys.content.arms import INTERACTIONS_ONLY, Control, is_name_of_control
from recsys.errors import hint
from recsys.models import registry
from recsys.published.figures import row_name
from recsys.study.dataset_spec import DatasetSpec
from recsys.study.ensemble_spec import Ensemble
from recsys.study.judgement_spec import Published

if TYPE_CHECKING:
    from recsys.study.study import Study

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,59}")
"""Names of what becomes an asset, a folder and a table; longer ones do not fit into the name of a file."""
SHARES = ("recall", "ndcg", "hit_rate", "precision", "map", "mrr")
"""Metrics that publications also give in percent."""
LONGEST_LIST = 1000
"""Items of a list that is stored for every user; nobody reads on so far."""


def check_agreement(study: "Study") -> None:
    """ValueError with a line for the first thing that two parts of a study cannot both mean."""
    _check_names("datasets", study.datasets)
    for dataset, spec in study.datasets.items():
        _check_names(f"dataset '{dataset}': descriptions", spec.descriptions)
        _check_names(f"dataset '{dataset}': content", spec.content)
        _check_sources(dataset, spec)
    _check_ensembles(study)
    _check_arms(study)
    _check_evaluation(study)
    for dataset, spec in study.datasets.items():
        _check_questions(study, dataset, spec)
        if spec.published and spec.published.table is None:
            _check_published(study, dataset, spec.published)


def _check_names(where: str, names: Iterable[str]) -> None:
    alike: dict[str, str] = {}
    for name in names:
        if not NAME.fullmatch(name):
            raise ValueError(
                f"{where}: '{name}' cannot be a name: use letters, digits and _, a letter first, 60 at most"
            )
        other = alike.setdefault(name.lower(), name)
        if other != name:
            raise ValueError(
                f"{where}: '{other}' and '{name}' would share files where capitals do not count: rename one"
            )


def _as_file(name: str) -> str:
    """What the keys of assets, on file systems that know no capitals, leave of a name."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower())


def _check_sources(dataset: str, spec: DatasetSpec) -> None:
    # Those of controls that this study does not run are kept free as well: tables would mislead.
    names = [arm.name for arm in spec.arms(get_args(Control), get_args(Control))]
    for source in spec.content:
        if source == "both" or names.count(source) > 1 or is_name_of_control(source, ["both", *spec.content]):
            raise ValueError(f"dataset '{dataset}': content '{source}' has the name of an arm; call it otherwise")


def _check_arms(study: "Study") -> None:
    every = [arm for spec in study.datasets.values() for arm in spec.arms(study.controls, study.controls_of_each)]
    for model, given in study.models.items():
        takes_content = registry.find(model).takes_content
        known = dict.fromkeys(arm.name for arm in every) if takes_content else [INTERACTIONS_ONLY]
        for arm in given.get("arms") or ():
            if arm not in known:
                why = "" if takes_content else f": {model} takes no content"
                raise ValueError(f"models.{model}.arms: there is no arm '{arm}'{why}{hint(arm, known)}")
    for dataset, spec in study.datasets.items():
        rows = [row for row in study.rows if study.takes_content(row)]
        run = [arm for row in rows for arm in study.arms_of(dataset, row)]
        if spec.content and rows and not any(arm.sources and arm.control is None for arm in run):
            raise ValueError(
                f"dataset '{dataset}': its content is shown to no model: name an arm with content in their 'arms'"
            )


def _check_questions(study: "Study", dataset: str, spec: DatasetSpec) -> None:
    """Some model runs on both sides of each; a source's own shuffled control is made for the best model over it."""
    run = [{arm.name for arm in study.arms_of(dataset, row)} for row in study.rows if study.takes_content(row)]
    for each in spec.questions:
        own_control = each.than == "shuffled" and each.better in spec.content
        if run and not own_control and not any({each.better, each.than} <= arms for arms in run):
            raise ValueError(
                f"dataset '{dataset}': question '{each.ask}': no model runs on both '{each.better}' and "
                f"'{each.than}': add both to the 'arms' of one"
            )


def _check_ensembles(study: "Study") -> None:
    _check_names("ensembles", study.ensembles)
    arms = {INTERACTIONS_ONLY, *get_args(Control)}
    arms |= {arm.name for spec in study.datasets.values() for arm in spec.arms(study.controls, study.controls_of_each)}
    taken = {_as_file(model): model for model in study.models}
    for name, ensemble in study.ensembles.items():
        if registry.is_known(name):
            raise ValueError(f"ensemble '{name}' has the name of a model: give it another")
        if name in arms or is_name_of_control(name, arms):
            raise ValueError(f"ensemble '{name}' has the name of an arm: give it another")
        if (other := taken.setdefault(_as_file(name), name)) != name:
            raise ValueError(f"ensemble '{name}' would share its files with '{other}': give it another name")
        _check_members(study, name, ensemble)


def _check_members(study: "Study", name: str, ensemble: Ensemble) -> None:
    for model in ensemble.of:
        if model in study.ensembles:
            raise ValueError(f"ensemble '{name}' is of '{model}', which is an ensemble itself: name models only")
        if model not in study.models:
            raise ValueError(f"ensemble '{name}' is of '{model}', which 'models' lacks{hint(model, study.models)}")
    if ensemble.each_source and not ensemble.takes_content:
        raise ValueError(f"ensemble '{name}': no member takes content, so leave 'each_source' out")
    if len(ensemble.of) == 1 and not ensemble.each_source:
        raise ValueError(
            f"ensemble '{name}' is {ensemble.of[0]} alone: name another model, or let it stand once for each source "
            "(each_source: true)"
        )


def _check_evaluation(study: "Study") -> None:
    # Not where they are declared: every stored cell depends on the definition of the protocol.
    if study.evaluation.depth > LONGEST_LIST:
        raise ValueError(f"evaluation: lists are {LONGEST_LIST:,} items long at most: lower 'ks' and 'primary'")
    if study.evaluation.negatives_seed < 0:
        raise ValueError("evaluation.negatives_seed: give a number of 0 or more")


def _check_published(study: "Study", dataset: str, published: Published) -> None:
    """Each figure has one of ours to stand beside it: of a model, or of a model on an arm that it runs."""
    where, rows = f"dataset '{dataset}': published:", dict.fromkeys(map(registry.class_name, study.rows))
    for row in study.rows:
        rows |= {row_name(registry.class_name(row), arm.name): None for arm in study.arms_of(dataset, row)}
    for row, figures in published.rows.items():
        if row not in rows:
            raise ValueError(f"{where} 'models' has no '{row}' to stand beside it{hint(row, rows)}")
        for metric, figure in figures.items():
            if figure > 1 and metric.rpartition("_at_")[0] in SHARES:
                raise ValueError(f"{where} {row}: {metric} is at most 1, not {figure:g}: write .08 for 8 %")
            if metric not in study.evaluation.metrics:
                known = ", ".join(map(str, study.evaluation.ks))
                raise ValueError(
                    f"{where} {row}: '{metric}' is not measured; write METRIC_at_K with a K of "
                    f"'evaluation.ks' ({known})"
                )

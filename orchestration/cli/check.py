"""`modalift check`: whether a study can be run, found out without training. `modalift run` asks the same first."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from orchestration.cli.app import command
from orchestration.cli.console import note, out, say, tick
from orchestration.cli.options import StudyArgument
from orchestration.cli.studies import (
    find_study,
    read_settings,
    warn_of_home_that_is_only_read,
    warn_of_shared_datasets,
)
from recsys.errors import UserError
from recsys.wording import count

if TYPE_CHECKING:
    from orchestration.content_widths import KnownDataset
    from orchestration.home import Home
    from orchestration.settings import Settings
    from recsys.study.checking import Finding
    from recsys.study.study import Study

MARKS = {"good": tick(True), "warning": "!", "bad": tick(False)}


@command("check", "modalift check demo", "modalift check studies/mine.yaml")
def check(study: StudyArgument) -> None:
    """Read a study, its data and its content as a run will, and check everything without training anything."""
    settings = read_settings(home_is="read")
    read = find_study(study, settings)
    warn_of_home_that_is_only_read(settings)
    warn_of_shared_datasets(read, settings)
    arms = sum(len(read.arms_of(name, model)) for name in read.datasets for model in read.models)
    ensembles = f"{count(len(read.ensembles), 'ensemble')}, " if read.ensembles else ""
    out.print(
        f"{tick(True)} study {read.name}: {count(len(read.datasets), 'dataset')}, {count(len(read.models), 'model')}, "
        f"{ensembles}{count(arms, 'arm')} of {read.budget} and {count(read.n_repeats, 'repeat')}"
    )
    known: dict[str, KnownDataset] = {}
    failures = []
    for finding in _findings(read, settings, known):
        out.print(f"{MARKS[finding.level]} {finding.what}: {finding.said}", soft_wrap=True)
        failures += [finding.what] if finding.level == "bad" else []
    if failures:
        if there := _select_of_the_rest(read, failures):
            note(there)
        raise UserError(f"study {read.name} cannot be run as it is: fix {', '.join(failures)}")
    _show_costs(read, settings, known)


def check_before_run(study: "Study", home: "Home", to_do: set[str]) -> "dict[str, KnownDataset]":
    """Read the data and the content that a run is about to read, and give what is known of each dataset it will make.

    Args:
        study: what is to be run.
        home: where.
        to_do: the assets that the run will compute.

    Raises:
        UserError: the run would stop, hours later perhaps; what else is wrong is said in lines before it.
    """
    from orchestration import keys
    from orchestration.cli.checked_datasets import findings, part_of, without_verdict
    from recsys.study.counting import too_few_trials

    _refuse_wrong_settings(study, to_do)
    known: dict[str, KnownDataset] = {}
    to_read = part_of(study, home, to_do)
    found = [finding for each in to_read for finding in findings(study, each, home, known)]
    judged = {name: dataset for name, dataset in known.items() if keys.verdict(name) in to_do}
    found += without_verdict(study, judged)
    bad = [finding for finding in found if finding.level == "bad"]
    for finding in [*(each for each in found if each.level == "warning"), *bad[:-1]]:
        note(f"{finding.what}: {finding.said}")
    if bad:
        if there := _select_of_the_rest(study, [finding.what for finding in bad]):
            note(there)
        raise UserError(f"{bad[-1].what}: {bad[-1].said}")
    if to_do & {keys.verdict(name) for name in study.datasets} and (few := too_few_trials(study)):
        note(f"! {few}")
    return known


def _select_of_the_rest(study: "Study", failures: Sequence[str]) -> str:
    """How the datasets are run of which nothing failed; empty where a model failed, or a part of every dataset."""
    broken = {what.split()[1].split("/")[0] for what in failures if not what.startswith("model ")}
    rest = [name for name in study.datasets if name not in broken]
    if not rest or any(what.startswith("model ") for what in failures):
        return ""
    selected = " or ".join(f"group:{name}" for name in rest)
    return f"`modalift run {study.name} --select '{selected}'` runs what is there"


def _refuse_wrong_settings(study: "Study", to_do: set[str]) -> None:
    """UserError where a model that is to be trained has hyper-parameters that tuning would refuse."""
    from orchestration import keys
    from recsys.study.model_settings import wrong_settings

    models = [model for model in study.models if any(keys.model(name, model) in to_do for name in study.datasets)]
    for model, why in wrong_settings(study, models):
        raise UserError(f"model {model}: {why}")


def _show_costs(study: "Study", settings: "Settings", known: "dict[str, KnownDataset]") -> None:
    from orchestration.cli.costs import cost_table, costs, total
    from orchestration.home import Home

    if known:
        home = Home(settings)
        found = costs(study, home, known, [(name, model) for name in known for model in study.models])
        out.print(cost_table(found))
        say(total(found, home.slots.workers))


def _findings(study: "Study", settings: "Settings", known: "dict[str, KnownDataset]") -> Iterator["Finding"]:
    """Models, then each dataset with its content; what is found of datasets is put into `known`."""
    from orchestration.cli.checked_datasets import all_of, findings, without_verdict
    from orchestration.home import Home
    from recsys.study.checking import Finding
    from recsys.study.counting import too_few_trials
    from recsys.study.selection import content_models

    yield from _models(study)
    if few := too_few_trials(study):
        yield Finding("tuning", few, "warning")
    if any(spec.content for spec in study.datasets.values()) and not content_models(study):
        no_use = "none of the models takes content, so that nothing is learnt of it; add one, such as HybridItemKNN"
        yield Finding("models", no_use, "warning")
    for to_read in all_of(study):
        yield from findings(study, to_read, Home(settings), known)
    yield from without_verdict(study, known)


def _models(study: "Study") -> Iterator["Finding"]:
    """A line for each model with settings of its own, and one for all others."""
    from recsys.study.checking import Finding

    plain = []
    for model in study.models:
        try:
            said = _model(study, model)
        except UserError as error:
            yield Finding(f"model {model}", str(error), "bad")
            continue
        if said:
            yield Finding(f"model {model}", said)
        else:
            plain.append(model)
    if plain:
        several = len(plain) > 1
        whose = "their" if several else "its"
        yield Finding("models" if several else "model", f"{', '.join(plain)}, with ranges of {whose} own")
    for name, ensemble in study.ensembles.items():
        arms = {dataset: study.arms_of(dataset, name) for dataset in study.datasets}
        on = "; ".join(f"{dataset}: {', '.join(arm.name for arm in run)}" for dataset, run in arms.items())
        shows = [any(arm.sources for arm in run) for dataset, run in arms.items() if study.datasets[dataset].content]
        if ensemble.takes_content and not all(shows):
            why = "no arm with content is run by all of its members: see their 'arms'"
            yield Finding(f"ensemble {name}", f"{ensemble.said}; {on}; {why}", "warning")
        else:
            yield Finding(f"ensemble {name}", f"{ensemble.said}; {on}")


def _model(study: "Study", model: str) -> str:
    """What a study says of a model's hyper-parameters; UserError where tuning would refuse it."""
    from recsys.study.model_settings import check_model

    check_model(study, model)
    return ", ".join(f"{key}={value}" for key, value in study.params_of(model).items())

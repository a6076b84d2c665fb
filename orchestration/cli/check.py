"""`modalift check`: whether a study can be run, found out without training. `modalift run` asks the same first."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from orchestration.cli.app import command
from orchestration.cli.console import note, out, say, tick
from orchestration.cli.options import StudyArgument
from orchestration.cli.studies import find_study, read_settings, warn_of_shared_datasets
from recsys.errors import UserError
from recsys.wording import count

if TYPE_CHECKING:
    import pandas as pd

    from orchestration.home import Home
    from orchestration.settings import Settings
    from recsys.data.dataset import Dataset
    from recsys.study.checking import Finding
    from recsys.study.study import Study

MARKS = {"good": tick(True), "warning": "!", "bad": tick(False)}
EXAMPLES = 5
"""Rows that are named for each reason for which rows are quarantined."""


@command("check", "modalift check demo", "modalift check studies/mine.yaml")
def check(study: StudyArgument) -> None:
    """Read a study, its data and its content as a run will, and check everything without training anything."""
    settings = read_settings()
    read = find_study(study, settings)
    warn_of_shared_datasets(read, settings)
    arms = sum(len(read.arms_of(name, model)) for name in read.datasets for model in read.models)
    ensembles = f"{count(len(read.ensembles), 'ensemble')}, " if read.ensembles else ""
    out.print(
        f"{tick(True)} study {read.name}: {count(len(read.datasets), 'dataset')}, {count(len(read.models), 'model')}, "
        f"{ensembles}{count(arms, 'arm')} of {read.budget} and {count(read.n_repeats, 'repeat')}"
    )
    facts: dict[str, dict[str, Any]] = {}
    failures = []
    for finding in _findings(read, settings, facts):
        out.print(f"{MARKS[finding.level]} {finding.what}: {finding.said}", soft_wrap=True)
        failures += [finding.what] if finding.level == "bad" else []
    if failures:
        if there := _select_of_the_rest(read, failures):
            note(there)
        raise UserError(f"study {read.name} cannot be run as it is: fix {', '.join(failures)}")
    _show_costs(read, settings, facts)


def check_before_run(study: "Study", home: "Home", to_do: set[str]) -> dict[str, dict[str, Any]]:
    """Read the data and the content that a run is about to read, and give the facts of each dataset that it will make.

    Args:
        study: what is to be run.
        home: where.
        to_do: the assets that the run will compute.

    Raises:
        UserError: the run would stop, hours later perhaps; what else is wrong is said in lines before it.
    """
    from orchestration import keys
    from recsys.study.counting import too_few_trials

    _refuse_wrong_settings(study, to_do)
    facts: dict[str, dict[str, Any]] = {}
    bad: list[Finding] = []
    for finding in _findings_of_run(study, home, to_do, facts):
        if finding.level == "warning":
            note(f"{finding.what}: {finding.said}")
        bad += [finding] if finding.level == "bad" else []
    for finding in bad[:-1]:
        note(f"{finding.what}: {finding.said}")
    if bad:
        if there := _select_of_the_rest(study, [finding.what for finding in bad]):
            note(there)
        raise UserError(f"{bad[-1].what}: {bad[-1].said}")
    if to_do & {keys.verdict(name) for name in study.datasets} and (few := too_few_trials(study)):
        note(f"! {few}")
    return facts


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


def _findings_of_run(
    study: "Study", home: "Home", to_do: set[str], facts: dict[str, dict[str, Any]]
) -> Iterator["Finding"]:
    from orchestration import keys
    from recsys.study.checking import check_content, check_options
    from recsys.study.preparing import load_items

    for name, spec in study.datasets.items():
        sources = [source for source in spec.content if keys.embeddings(name, source) in to_do]
        corpora = [corpus for corpus in spec.descriptions if keys.descriptions(name, corpus) in to_do]
        is_made_anew = keys.dataset(name) in to_do
        if not (is_made_anew or ((sources or corpora) and home.has(keys.dataset(name)))):
            continue
        if wrong := check_options(name, spec):
            yield from wrong
            continue
        with TemporaryDirectory() as scratch:
            place = Path(scratch) if is_made_anew else home.folder(home.current(keys.dataset(name)))
            try:
                folder = home.settings.source_folder(name, spec)
                if is_made_anew:
                    facts[name] = _prepared(study, name, folder, place)
            except UserError as error:
                yield _unreadable(name, error)
                continue
            if sources or corpora:
                yield from check_content(name, spec, load_items(place), folder, sources=sources, corpora=corpora)


def _prepared(study: "Study", name: str, folder: Path | None, place: Path) -> dict[str, Any]:
    """Facts of a dataset that is prepared in `place` as a run would; UserError where it cannot be, or be ranked."""
    from recsys.study.preparing import prepare_dataset

    facts = prepare_dataset(study.datasets[name], folder, place).facts
    n_items, n_negatives = facts["counts"]["items"], study.evaluation.n_negatives
    if n_negatives is not None and n_negatives >= n_items:
        raise UserError(
            f"evaluation.n_negatives: {n_negatives:,} items cannot be drawn from the {n_items:,} that there are; "
            "write fewer, or leave it out to rank all items"
        )
    return facts


def _unreadable(name: str, error: UserError) -> "Finding":
    from recsys.study.checking import Finding

    return Finding(f"dataset {name}", str(error).removeprefix(f"dataset {name}: "), "bad")


def _show_costs(study: "Study", settings: "Settings", facts: dict[str, dict[str, Any]]) -> None:
    from orchestration.cli.costs import cost_table, costs, total
    from orchestration.home import Home

    if facts:
        home = Home(settings)
        found = costs(study, home, facts, [(name, model) for name in facts for model in study.models])
        out.print(cost_table(found))
        say(total(found, home.slots.workers))


def _findings(study: "Study", settings: "Settings", facts: dict[str, dict[str, Any]]) -> Iterator["Finding"]:
    """Models, then each dataset with its content; what is found of datasets is put into `facts`."""
    from recsys.study.checking import Finding, check_content, check_options
    from recsys.study.counting import too_few_trials
    from recsys.study.preparing import load_items
    from recsys.study.selection import content_models

    yield from _models(study)
    if few := too_few_trials(study):
        yield Finding("tuning", few, "warning")
    if any(spec.content for spec in study.datasets.values()) and not content_models(study):
        no_use = "none of the models takes content, so that nothing is learnt of it; add one, such as HybridItemKNN"
        yield Finding("models", no_use, "warning")
    for name, spec in study.datasets.items():
        wrong = {finding.what: finding for finding in check_options(name, spec)}
        yield from wrong.values()
        if f"dataset {name}" in wrong:
            continue
        with TemporaryDirectory() as scratch:
            try:
                folder = settings.source_folder(name, spec)
                said = _dataset(study, name, folder, Path(scratch), facts)
            except UserError as error:
                # Without its items nothing can be said of its content, and need not be said again and again.
                yield _unreadable(name, error)
                continue
            yield Finding(f"dataset {name}", said)
            corpora = [corpus for corpus in spec.descriptions if f"descriptions {name}/{corpus}" not in wrong]
            sources = [
                source
                for source, content in spec.content.items()
                if f"content {name}/{source}" not in wrong and content.corpus in (None, *corpora)
            ]
            yield from check_content(name, spec, load_items(Path(scratch)), folder, sources=sources, corpora=corpora)


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
    from recsys.models import registry
    from recsys.study.model_settings import check_settings

    given = study.params_of(model)
    check_settings(registry.load(model), given)
    return ", ".join(f"{key}={value}" for key, value in given.items())


def _dataset(study: "Study", name: str, folder: Path | None, scratch: Path, found: dict[str, dict[str, Any]]) -> str:
    """What a run would make of a dataset, in words."""
    from recsys.data.dataset import Dataset
    from recsys.study.applicable import left_out

    found[name] = facts = _prepared(study, name, folder, scratch)
    counts = facts["counts"]
    said = [f"{counts[key]:,} {key}" for key in ("users", "items", "train", "valid", "test")]
    said += [f"{counts['pictures']:,} pictures of these items"] if "pictures" in counts else []
    notes = [*facts["notes"], *_quarantined(Dataset.load(scratch))]
    notes += [line for model in study.models if (line := left_out(study, name, model, facts, {}))]
    return "\n    ".join([", ".join(said), *notes])


def _quarantined(data: "Dataset") -> list[str]:
    """A line for each table and reason, the commonest first, with the first rows that it concerns."""
    groups = data.quarantine.groupby(["table", "reason"], sort=False)
    lines = []
    for (table, reason), rows in sorted(groups, key=lambda group: -len(group[1])):
        what = count(len(rows), str(table).removesuffix("s"))
        lines.append(f"quarantined {what}: {reason} ({_named(rows)}{', ...' if len(rows) > EXAMPLES else ''})")
    return lines


def _named(rows: "pd.DataFrame") -> str:
    """The first rows by their numbers, where they have some, else by their keys."""
    first = rows.head(EXAMPLES)
    if first["row"].isna().any():
        return ", ".join(first["key"].astype(str))
    return ("row " if len(rows) == 1 else "rows ") + ", ".join(first["row"].astype(int).astype(str))

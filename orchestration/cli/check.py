"""`modalift check`: whether a study can be run, found out without running it."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from orchestration.cli.app import command
from orchestration.cli.console import count, out, say, tick
from orchestration.cli.options import StudyArgument
from orchestration.cli.studies import find_study, read_settings
from recsys.errors import UserError

if TYPE_CHECKING:
    from orchestration.settings import Settings
    from recsys.study.dataset_spec import DatasetSpec
    from recsys.study.study import Study

Check = tuple[str, Callable[[], str]]
"""What is checked, and a function that gives what was found or raises UserError."""


@command("check", "modalift check demo", "modalift check studies/mine.yaml")
def check(study: StudyArgument) -> None:
    """Read a study and its data, and check everything in it without training anything."""
    settings = read_settings()
    read = find_study(study, settings)
    arms = sum(len(read.arms_of(name, model)) for name in read.datasets for model in read.models)
    out.print(
        f"{tick(True)} study {read.name}: {count(len(read.datasets), 'dataset')}, {count(len(read.models), 'model')}, "
        f"{count(arms, 'arm')} of {read.tuning.said} and {count(read.n_repeats, 'repeat')}"
    )
    facts: dict[str, dict[str, Any]] = {}
    failures = [what for what, find in _checks(read, settings, facts) if not _passes(what, find)]
    _show_costs(read, settings, facts)
    if failures:
        raise UserError(f"study {read.name} cannot be run as it is: fix {', '.join(failures)}")


def _show_costs(study: "Study", settings: "Settings", facts: dict[str, dict[str, Any]]) -> None:
    from orchestration.cli.costs import cost_table, costs, total
    from orchestration.home import Home

    if facts:
        home = Home(settings)
        found = costs(study, home, facts, [(name, model) for name in facts for model in study.models])
        out.print(cost_table(found))
        say(total(found, home.slots.workers))


def _passes(what: str, find: Callable[[], str]) -> bool:
    try:
        found, good = find(), True
    except UserError as error:
        found, good = str(error), False
    out.print(f"{tick(good)} {what}: {found}", soft_wrap=True)
    return good


def _checks(study: "Study", settings: "Settings", facts: dict[str, dict[str, Any]]) -> Iterator[Check]:
    """All checks; those of datasets put what they find into `facts`."""
    for model in study.models:
        yield f"model {model}", partial(_model, study, model)
    for name, spec in study.datasets.items():
        yield f"dataset {name}", partial(_dataset, study, name, settings, facts)
        for corpus in spec.descriptions:
            yield f"descriptions {name}/{corpus}", partial(_descriptions, name, spec, settings, corpus)
        for source in spec.content:
            yield f"content {name}/{source}", partial(_content, name, spec, settings, source)


def _model(study: "Study", model: str) -> str:
    """Each fixed value alone, and each choice of a list: what tuning would meet one by one."""
    from recsys.models import registry

    cls = registry.load(model)
    given = study.params_of(model)
    fixed = {key: value for key, value in given.items() if not isinstance(value, list)}
    choices = {key: value for key, value in given.items() if isinstance(value, list)}
    cls.from_params(**fixed)
    for key, values in choices.items():
        for value in values:
            cls.from_params(**fixed, **{key: value})
    said = [f"{key}={value}" for key, value in given.items()]
    return ", ".join(said) or "searches its own ranges"


def _dataset(study: "Study", name: str, settings: "Settings", found: dict[str, dict[str, Any]]) -> str:
    from recsys.data.prepare import prepare
    from recsys.data.readers import read
    from recsys.study.applicable import RATED, left_out

    spec = study.datasets[name]
    with TemporaryDirectory() as scratch:
        raw = read(spec.source.reader, spec.source.options, _folder(name, spec, settings), Path(scratch))
        data = prepare(raw, spec.cleaning, spec.split)
    counts = data.facts["counts"]
    said = [f"{counts[key]:,} {key}" for key in ("users", "items", "train", "valid", "test")]
    reasons = data.quarantine["reason"].value_counts()
    notes = [f"set aside {n:,}: {reason}" for reason, n in reasons.items()]
    found[name] = facts = data.facts | {RATED: data.ratings is not None}
    notes += [line for model in study.models if (line := left_out(study, name, model, facts, {}))]
    return "\n    ".join([", ".join(said), *notes])


def _folder(name: str, spec: "DatasetSpec", settings: "Settings") -> Path | None:

    return settings.locate(spec.source.folder, f"dataset {name}") if spec.source.folder else None


def _file(name: str, spec: "DatasetSpec", settings: "Settings", file: str) -> str:

    folder = _folder(name, spec, settings) or Path()
    return str(settings.locate(str(folder / file), f"dataset {name}"))


def _descriptions(name: str, spec: "DatasetSpec", settings: "Settings", corpus: str) -> str:
    given = spec.descriptions[corpus]
    if given.file is not None:
        return _file(name, spec, settings, given.file)
    from recsys.content.vlm.extraction import VlmOptions
    from recsys.content.vlm.prompts import load_prompt

    folder = _folder(name, spec, settings) or Path()
    options = VlmOptions.read(given.options)
    prompt = load_prompt(options.prompt, folder)
    return f"asks {options.model}, prompt {prompt.name} (version {prompt.version})"


def _content(name: str, spec: "DatasetSpec", settings: "Settings", source: str) -> str:
    from recsys.content.encoders import registry

    content = spec.content[source]
    registry.load(content.encoder).from_options(content.encoder, content.options)
    said = [f"encoder {content.encoder}", *(f"{key}={value}" for key, value in content.options.items())]
    if "file" in content.options:
        said.append(f"at {_file(name, spec, settings, content.options['file'])}")
    return ", ".join(said)

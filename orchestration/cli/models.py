"""`modalift models`: the recommenders that a study can name."""

import inspect
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from orchestration.cli.app import command
from orchestration.cli.console import out, print_list, print_rows, say, table
from orchestration.cli.meanings import meanings, shown
from orchestration.cli.studies import find_study, read_settings
from recsys.errors import UserError

if TYPE_CHECKING:
    from recsys.recommender import Recommender


@command(
    "models",
    "modalift models",
    "modalift models EASE",
    "modalift models BM3@published/baby",
    "modalift models MGCN --on studies/mine.yaml",
)
def models(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="Only this model, in full, or as a preset has it.")
    ] = None,
    on: Annotated[
        str | None, typer.Option(metavar="STUDY", help="Also what the model would take on the datasets of a study.")
    ] = None,
) -> None:
    """List the recommenders with their sources; one of them with hyper-parameters, published figures and costs."""
    from recsys.models import registry

    if name:
        cls = registry.load(name)
        preset = registry.preset(name) if registry.preset_name(name) else None
        _show_model(cls, registry.find(name), preset)
        _show_published(cls.__name__)
        if on:
            _show_costs(name, on)
        return
    if on:
        raise UserError("--on is about one model: modalift models NAME --on STUDY")
    rows = [
        {
            "model": model.name,
            "family": model.file.family,
            "content": "yes" if model.file.takes_content else "",
            "tuned hyper-parameters": ", ".join(model.tuned),
            "source": model.source,
        }
        for model in registry.model_infos()
    ]
    print_rows(rows, "source", "tuned hyper-parameters")
    say("The lists of several of them can be added, with weights from validation: `ensembles` in a study file.")


def _show_model(cls: "type[Recommender]", file: Any, preset: dict[str, Any] | None) -> None:
    say(f"{cls.__name__} ({file.family})")
    for line in ("", *inspect.cleandoc(cls.__doc__ or "").splitlines(), ""):
        say(line)
    say(f"Source: {cls.source}")
    say(f"It {'takes' if file.takes_content else 'does not take'} content.")
    say(f"Another seed gives {'the same' if cls.deterministic else 'other'} lists.")
    say(f"It {'scores' if cls.scores_cold_items else 'does not score'} items without interactions.")
    if cls.Config.model_fields:
        print_list("Hyper-parameters:", _hyper_parameters(cls, preset))
        if preset is None:
            say("Any of them is searched, too, where a study lists values for it.")
    else:
        say("Hyper-parameters: it has none")
    for name, values in cls.presets.items():
        said = ", ".join(f"{key}={value}" for key, value in values.items())
        say(f"{cls.__name__}@{name}: {said}; the rest as by default")


def _show_published(model: str) -> None:
    """What was published of a model as it is; figures of its arms stand beside ours in reports."""
    from recsys.evidence.wording import metric_name
    from recsys.published.figures import METRICS, figures, publications

    found = figures().query("model == @model and arm == ''")
    if found.empty:
        say("Published figures: none are known")
        return
    columns = ("dataset", *(f">{metric_name(metric)}" for metric in METRICS), "publication")
    published = table(*columns, title="Published figures")
    rows = found.sort_values("dataset", kind="stable").to_dict("records")
    for row in rows:
        figures_of_row = ("" if math.isnan(row[metric]) else f"{row[metric]:.4f}" for metric in METRICS)
        published.add_row(row["dataset"], *figures_of_row, row["publication"])
    out.print(published)
    for row in rows:
        if row["doubt"]:
            say(f"{row['dataset']} by {row['publication']} is not compared with: {row['doubt']}")
    for key in dict.fromkeys(found["publication"]):
        say(f"{key}: {publications()[key].paper}; {publications()[key].protocol}")


def _show_costs(model: str, study_name: str) -> None:
    """Time and memory on each dataset of a study, whether or not it runs the model; nothing is kept."""
    from orchestration.cli.costs import cost_table, costs, known_datasets, prepared
    from orchestration.home import Home

    settings = read_settings(home_is="read")
    study, home = find_study(study_name, settings), Home(settings)
    asked = study.model_copy(update={"models": {model: study.models.get(model, {})}})
    made = known_datasets(study, home)
    known = {name: made.get(name) or prepared(study, home, name) for name in study.datasets}
    out.print(cost_table(costs(asked, home, known, [(name, model) for name in known])))


def _hyper_parameters(cls: "type[Recommender]", preset: dict[str, Any] | None) -> Iterator[str]:
    """Each with its default and what tuning tries, or with its value in a preset, and with its meaning."""
    meant = meanings(cls.Config)
    for name, field in cls.Config.model_fields.items():
        searched = _range(field.json_schema_extra)
        own = f"searched: {searched}" if searched else "not searched"
        own = own if preset is None else f"in the preset {shown(preset[name])}"
        yield f"{name} (default {shown(field.default)}; {own}): {meant.get(name, '')}"


def _range(extra: Any) -> str:
    space = (extra or {}).get("search") if isinstance(extra, dict) else None
    if space is None:
        return ""
    if "choices" in space:
        return f"one of {', '.join(map(shown, space['choices']))}"
    scale = ", log scale" if space["log"] else f", in steps of {space['step']}" if space["step"] else ""
    return f"{shown(space['low'])} to {shown(space['high'])}{scale}"

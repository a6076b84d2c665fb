"""`modalift models` and `modalift encoders`: what a study can name."""

import inspect
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from orchestration.cli.app import command
from orchestration.cli.console import natural_width, out, say, table, tick
from orchestration.cli.studies import find_study, read_settings
from recsys.errors import UserError
from recsys.wording import listed

if TYPE_CHECKING:
    from recsys.content.encoder import Checkpoint
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
    _print(rows, "source", "tuned hyper-parameters")
    say("The lists of several of them can be added, with weights from validation: `ensembles` in a study file.")


def _show_model(cls: "type[Recommender]", file: Any, preset: dict[str, Any] | None) -> None:
    say(f"{cls.__name__} ({file.family})")
    for line in ("", *inspect.cleandoc(cls.__doc__ or "").splitlines(), ""):
        say(line)
    say(f"Source: {cls.source}")
    say(
        f"Content: {'taken' if file.takes_content else 'not taken'}; "
        f"{'the same lists with any seed' if cls.deterministic else 'other lists with another seed'}; "
        f"items without interactions: {'scored' if cls.scores_cold_items else 'not scored'}"
    )
    if preset is None:
        shown = table("hyper-parameter", ">default", "searched")
        for field, default, searched in _fields(cls):
            shown.add_row(field, _shown(default), searched or "no, unless a study lists values")
    else:
        shown = table("hyper-parameter", ">in the preset", ">default")
        for field, default, _ in _fields(cls):
            shown.add_row(field, _shown(preset[field]), _shown(default))
    out.print(shown)
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
    shown = table("dataset", *(f">{metric_name(metric)}" for metric in METRICS), "publication", "no target, because")
    for row in found.sort_values("dataset", kind="stable").to_dict("records"):
        figures_of_row = ("" if math.isnan(row[metric]) else f"{row[metric]:.4f}" for metric in METRICS)
        shown.add_row(row["dataset"], *figures_of_row, row["publication"], row["doubt"])
    shown.title = "Published figures"
    out.print(shown)
    for key in dict.fromkeys(found["publication"]):
        say(f"{key}: {publications()[key].paper}; {publications()[key].protocol}")


def _show_costs(model: str, study_name: str) -> None:
    """Time and memory on each dataset of a study, whether or not it runs the model; nothing is kept."""
    from orchestration.cli.costs import cost_table, costs, facts_of
    from orchestration.home import Home

    settings = read_settings()
    study, home = find_study(study_name, settings), Home(settings)
    asked = study.model_copy(update={"models": {model: study.models.get(model, {})}})
    facts = {name: facts_of(study, home, name) for name in study.datasets}
    out.print(cost_table(costs(asked, home, facts, [(name, model) for name in facts])))


def _fields(cls: "type[Recommender]") -> list[tuple[str, Any, str]]:
    """Name, default and search range of each hyper-parameter."""
    return [(name, field.default, _range(field.json_schema_extra)) for name, field in cls.Config.model_fields.items()]


def _range(extra: Any) -> str:
    space = (extra or {}).get("search") if isinstance(extra, dict) else None
    if space is None:
        return ""
    if "choices" in space:
        return f"one of {', '.join(map(_shown, space['choices']))}"
    scale = ", log scale" if space["log"] else f", in steps of {space['step']}" if space["step"] else ""
    return f"{_shown(space['low'])} to {_shown(space['high'])}{scale}"


def _shown(value: Any) -> str:
    """A number with the digits that a person reads: 0.00674 and 148, not sixteen of them; None is left to the data."""
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    if value is None:
        return "by the data"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


@command("encoders", "modalift encoders")
def encoders() -> None:
    """List the encoders that turn text, images, descriptions and attributes into vectors, and weights for them."""
    from recsys.content.encoders import encoder_infos
    from recsys.content.vlm.known import KNOWN
    from recsys.content.weights import on_this_machine

    found = encoder_infos()
    rows = [
        {
            "encoder": info.name,
            "reads": info.modality,
            "what it does": info.description,
            "options": ", ".join(info.options),
            "weights": "needed" if info.needs_weights else "none",
            "licence": info.licence,
        }
        for info in found
    ]
    _print(rows, "licence", "options", "weights")
    known = [
        {"encoder": info.name, "reads": info.modality} | _weights(checkpoint, here=info.has(checkpoint))
        for info in found
        for checkpoint in info.known
    ]
    for checkpoint in KNOWN:
        here = on_this_machine(checkpoint.model, checkpoint.revision) is not None
        known.append({"encoder": "hidden_states", "reads": "image, text"} | _weights(checkpoint, here=here))
    _print(known, "reads", "licence", title="Weights that are known to serve")
    say("Weights that are not here are fetched when a study first needs them, or put where docs/encoders.md says.")


def _weights(checkpoint: "Checkpoint", *, here: bool) -> dict[str, str]:
    return {
        "model": checkpoint.model,
        ">dim": str(checkpoint.dim),
        ">size": _size(checkpoint.megabytes),
        "licence": checkpoint.licence,
        "here": tick(here),
    }


def _print(rows: Sequence[Mapping[str, str]], *dispensable: str, title: str | None = None) -> None:
    """A table without the first of the dispensable columns, as many as are in the way of whole words."""
    for n_left_out in range(len(dispensable) + 1):
        left_out = dispensable[:n_left_out]
        columns = [name for name in rows[0] if name not in left_out]
        shown = table(*columns, title=title)
        for row in rows:
            shown.add_row(*(row[name] for name in columns))
        if natural_width(shown).minimum <= out.width:
            break
    out.print(shown)
    if left_out:
        say(f"A wider terminal also shows: {listed(left_out)}.")


def _size(megabytes: int) -> str:
    return f"{megabytes / 1000:.1f} GB" if megabytes >= 1000 else f"{megabytes} MB"

"""The settings of the calibration: on which markets, how they are studied, and what must hold there."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

from calibration import from_interactions, markets, real, rules
from calibration.from_interactions import LEAK
from calibration.markets import Market, Shape
from calibration.rules import Rule
from calibration.same_model import MOST, same_model_twice
from calibration.studies import LINEAR, NEIGHBOURS, SPACE, Plan, Record, study_draw

IRRELEVANT = Shape()
DEMO = Shape(n_users=300, n_items=300)
CROWDED = Shape(n_users=1200, n_items=60, mean_interactions=8)
SMALL = Shape(n_users=200, n_items=150)
TEXT = Shape(weights={"text": 2.0, "image": 0.0}, hidden=1.0)
IMAGE = Shape(weights={"text": 0.0, "image": 2.0}, hidden=1.0)
BOTH = Shape(weights={"text": 1.5, "image": 1.5}, hidden=1.0)
ONE_SOURCE = Shape(weights={"text": 2.0}, hidden=1.0)
HALVES = Shape(n_users=500, weights={"text": 2.0}, hidden=1.5)
"""With 300 users the half that is said to lose did not do so in every draw; with 500 it loses 10 to 30 %."""
BEST_SELLERS = Shape(popularity=1.5)
BEST_SELLERS_FIRST = Shape(n_users=1500, n_items=100, mean_interactions=8, popularity=1.5, hidden=1.0)
"""So many users that equivalence within 2 % can be shown."""
WEAK = {2: 0.60, 10: 0.83, 20: 1.06}
"""Weight of the text by the mean lift in percent that it leads to: `weak_effects.py`, 12 markets of each weight, found
-0.8, 2.3, 4.3, 9.5, 15.1, 16.1 and 22.7 % at weights of 0.5 to 1.1, with standard errors of 0.8 to 2.7."""
SEEDED: dict[str, dict[str, Any]] = {
    "NMF": {"n_factors": 20, "max_iterations": 100},
    "IALS": {"n_factors": 16, "n_iterations": 2, "initial_deviation": 1.0},
}
"""Models of a moment whose seed matters, for the comparison of a model with itself."""
WHOLE = ("train", "valid", "test")
REAL = {"lastfm-2k": real.Size(200, 200), "baby": real.Size(450, 350)}
"""Folders of real interactions. Those of Baby are sparse, and few of them show no personal model at its best."""
SMALL_CATALOGUE = "lastfm-2k"
PLAIN_COSINE: dict[str, Any] = {"similarity": "cosine", **SPACE}
LEAKS = (rules.alarm(LEAK), rules.false_alarm(LEAK))
SAME_MODEL = (*(rules.same_model(n) for n in range(1, MOST + 1)), rules.NO_FALSE_SAMENESS)
Models = Literal["closed-form", "trained"]
CLOSED = Plan()
WITH_NEIGHBOURS = Plan(NEIGHBOURS)
NEIGHBOURS_ALONE = Plan({model: each for model, each in NEIGHBOURS.items() if model != "AddEASE"})
PLAIN_NEIGHBOURS = Plan(
    LINEAR | dict.fromkeys(("ItemKNN", "UserKNN", "AttributeItemKNN", "HybridItemKNN"), PLAIN_COSINE)
)
ONE_BASE = Plan(LINEAR)
MANY_SOURCES = Plan({model: each for model, each in LINEAR.items() if model != "CEASE"})
"""One content model: there are four arms or more for each source."""
WITHOUT_POPULARITY = Plan({"Random": {}, "EASE": {"l2": 1.0}, "AddEASE": {"l2": 1.0}})
"""Hardly regularised, and no TopPop beside it: a text that says what sells then lifts."""
WHO_LOSES = Plan(asks_who_loses=True)
TWO_NAMES = Plan({"TopPop": {}, "ItemKNN": {}, "ItemKNNAgain": {}, "HybridItemKNN": {}})
SMALL_NETWORKS: dict[str, dict[str, Any]] = {
    model: {"max_epochs": 30, "batch_size": 1024, "n_factors": 32, "learning_rate": 0.02}
    for model in ("BPRMF", "LightGCN", "VBPR", "FREEDOM", "MGCN")
}
"""A fit takes a sixth of a second; that of MGCN a second, which in studies runs on all sources together only. Twice as
many epochs at half the learning rates find models that are no better, but for FREEDOM, in twice the time."""
NETWORKS = Plan(
    {
        "Random": {},
        "TopPop": {},
        **{model: {**params, "learning_rate": [0.01, 0.02, 0.04]} for model, params in SMALL_NETWORKS.items()},
        "MGCN": {**SMALL_NETWORKS["MGCN"], "max_epochs": 20, "arms": ["both"]},
    },
    trials=10,
    repeats=3,
)


@dataclass(frozen=True)
class Setting:
    """One setting.

    Attributes:
        title: in words.
        draw: makes a draw from its seed, and gives what was found.
        rules: what must hold of many draws.
        most_draws: more than these are not made, where a draw takes minutes.
    """

    title: str
    draw: Callable[[int], Record]
    rules: tuple[Rule, ...]
    most_draws: int | None = None


def draw_twice(drawn: Callable[[int], Market], model: str, params: dict[str, Any], redrawn: bool, seed: int) -> Record:
    """Draw a market and compare a model with itself, on content if it takes any."""
    return same_model_twice(drawn(seed), model, params, seed, redrawn)


def draw_split(shape: Shape, made: Callable[[Market, int], Market], seed: int) -> Market:
    """A market that was split before its content was made."""
    return made(from_interactions.split(markets.market(seed, shape), seed), seed)


def of_shape(shape: Shape) -> Callable[[int], Market]:
    """Draws markets of a shape."""
    return partial(markets.market, shape=shape)


def settings(models: Models, data: Path | None) -> dict[str, Setting]:
    """All settings by key; those of real data only where `data` names their folder."""
    if models == "trained":
        return dict([*trained(), *([whole_catalogue(data / SMALL_CATALOGUE)] if data else [])])
    return dict([*irrelevant(data), *same_model(), *driven(), *made_of_interactions(), *redundant_or_costly()])


def study(
    key: str, title: str, drawn: Callable[[int], Market], *must: Rule, plan: Plan = CLOSED
) -> tuple[str, Setting]:
    """A setting whose draws are studies, by its key."""
    return key, Setting(title, partial(study_draw, drawn, plan), must)


def irrelevant(data: Path | None) -> Iterator[tuple[str, Setting]]:
    """Content that says nothing."""
    title = "content irrelevant, proportions of the demo"
    yield study("irrelevant_demo", title, of_shape(DEMO), *rules.NO_HELP, plan=WITH_NEIGHBOURS)
    for n in (8, 16):
        noise = partial(markets.with_noise_sources, n_sources=n, shape=SMALL)
        title = f"content irrelevant, {n} sources of noise"
        yield study(f"irrelevant_{n}_sources", title, noise, *rules.NO_HELP, plan=MANY_SOURCES)
    crowded = of_shape(CROWDED)
    yield study(
        "irrelevant_crowded", "content irrelevant, few items and many users", crowded, *rules.NO_HELP, plan=ONE_BASE
    )
    if data is None:
        return
    for name, size in REAL.items():
        title = f"real interactions ({name}), real vectors permuted among items"
        drawn = partial(real.plasmode, folder=data / name, size=size)
        must = (*rules.NO_HELP, rules.NO_CAPACITY)
        yield study(f"plasmode_{name}", title, drawn, *must, plan=NEIGHBOURS_ALONE)


def whole_catalogue(folder: Path) -> tuple[str, Setting]:
    """All users and items of a real catalogue, with models of a closed form; a draw takes three minutes."""
    title = (
        f"real interactions ({folder.name}) of all users in their published split, real vectors permuted among items"
    )
    draw = partial(study_draw, partial(real.permuted, folder=folder), PLAIN_NEIGHBOURS)
    return f"permuted_{folder.name}", Setting(title, draw, (rules.NEVER_HELPS, rules.NO_CAPACITY), most_draws=20)


def same_model() -> Iterator[tuple[str, Setting]]:
    """One model on both sides, or under two names."""
    for model, params in SEEDED.items():
        yield from against_itself(model, params)
    title = "the same model under two names"
    yield study("two_names", title, of_shape(IRRELEVANT), rules.TWO_NAMES, plan=TWO_NAMES)


def against_itself(model: str, params: dict[str, Any], shape: Shape = IRRELEVANT) -> Iterator[tuple[str, Setting]]:
    """A model on both sides, where the split is a fact and where it is drawn anew."""
    for redrawn, splits in ((False, "one split"), (True, "a split each")):
        draw = partial(draw_twice, of_shape(shape), model, params, redrawn)
        key = f"same_{model}_{splits.replace(' ', '_')}"
        yield key, Setting(f"{model} on both sides, other seeds, {splits}", draw, SAME_MODEL)


def driven() -> Iterator[tuple[str, Setting]]:
    """Content that drives choice, much or little."""
    for name, title, shape in (
        ("text", "the text drives choice", TEXT),
        ("image", "the image drives choice", IMAGE),
        ("both", "text and image drive choice", BOTH),
    ):
        yield study(f"drives_{name}", title, of_shape(shape), rules.DRIVEN, rules.RIGHT_SOURCES)
    for percent, weight in WEAK.items():
        title = f"weak effect, true lift about {percent} %"
        yield study(f"weak_{percent}", title, of_shape(weak(weight)), *rules.WEAK)


def weak(weight: float) -> Shape:
    """A market whose choice the text drives with this weight."""
    return Shape(weights={"text": weight, "image": 0.0}, hidden=1.0)


def made_of_interactions() -> Iterator[tuple[str, Setting]]:
    """Content that someone made of the interactions themselves."""
    known = partial(draw_split, BEST_SELLERS, from_interactions.with_text_of_what_sells)
    yield study("sells", "the text says only what sells", known, *rules.NO_HELP)
    title = "the text says only what sells, and no rival knows it"
    first = partial(draw_split, BEST_SELLERS_FIRST, from_interactions.with_text_of_what_sells)
    yield study("sells_unrivalled", title, first, *rules.ONLY_POPULARITY, plan=WITHOUT_POPULARITY)
    for key, parts, n_factors, must in (
        ("training", ("train",), 64, LEAKS),
        ("whole", WHOLE, 64, LEAKS),
        ("whole_16_factors", WHOLE, 16, (rules.SILENT_PROBES,)),
    ):
        made = partial(from_interactions.with_singular_vectors, parts, n_factors)
        title = f"{n_factors} factors of the {key.split('_')[0]} matrix, beside an honest text"
        yield study(f"leak_{key}", title, partial(draw_split, ONE_SOURCE, made), *must)


def redundant_or_costly() -> Iterator[tuple[str, Setting]]:
    """Content of which either source will do, and content that helps some users and costs others."""
    for key, blur, title in (("same", 0.0, "the same"), ("similar", 0.3, "nearly the same")):
        drawn = partial(markets.with_same_content_twice, shape=ONE_SOURCE, blur=blur)
        yield study(f"twice_{key}", f"text and image say {title}", drawn, *rules.GROUP)
    for key, active, title in (("activity", True, "the more active half"), ("random", False, "a random half")):
        drawn = partial(markets.with_half_misled, shape=HALVES, by_activity=active)
        yield study(
            f"halves_{key}", f"content helps half of the users and costs {title}", drawn, rules.LOSERS, plan=WHO_LOSES
        )


def trained() -> Iterator[tuple[str, Setting]]:
    """Settings with models trained by gradient."""
    for model, params in SMALL_NETWORKS.items():
        yield from against_itself(model, params, TEXT)
    title = "content irrelevant, proportions of the demo"
    yield study("trained_irrelevant", title, of_shape(DEMO), *rules.NO_HELP, plan=NETWORKS)
    for percent in (10, 20):
        title = f"weak effect, true lift about {percent} % for models of a closed form"
        yield study(f"trained_weak_{percent}", title, of_shape(weak(WEAK[percent])), *rules.POWER, plan=NETWORKS)
    yield study("trained_drives_text", "the text drives choice", of_shape(TEXT), *rules.POWER, plan=NETWORKS)

"""Made-up scores and a made-up study, for tests of what is computed from them."""

import hashlib
from collections.abc import Mapping
from datetime import date
from urllib.parse import quote

import numpy as np

from recsys.analyses.base import Table
from recsys.evidence.comparison import Comparison, ComparisonOptions, compare, holm
from recsys.evidence.decision import Sides, decide
from recsys.evidence.gates import Gate
from recsys.evidence.interval import mean_intervals
from recsys.evidence.leaderboard import rank_models
from recsys.evidence.scores import Pair, Scores
from recsys.evidence.sensitivity import Agreement
from recsys.evidence.source_design import GroupPairs, SourceDesign, SourcePairs
from recsys.evidence.source_verdicts import WhichSources
from recsys.evidence.sources import judge_sources
from recsys.report.model import DatasetReport, RunFacts, StudyReport
from recsys.report.rows import (
    AssetRow,
    CheckRow,
    ComparisonRow,
    ContentRow,
    Kind,
    Link,
    QuarantineRow,
    ResultRow,
    ScenarioRow,
    Section,
    TuningCurve,
)
from recsys.study.selection import Tally
from recsys.study.truth import TruthRow
from recsys.wording import DASH

OPTIONS = ComparisonOptions(n_resamples=500)
ONLY = "interactions_only"


def taste(n_users: int, rng: np.random.Generator) -> np.ndarray:
    """How easily each user is served: most not at all."""
    return rng.beta(1.2, 2.5, n_users) * (rng.random(n_users) < 0.4)


def scores(
    model: str, arm: str, gain: float, ease: np.ndarray, rng: np.random.Generator, n_repeats: int = 3
) -> Scores:
    """A model whose metric is a user's ease times `1 + gain`, with noise in the users that are served at all."""
    served = ease > 0
    personal = rng.normal(0, 0.12, len(ease))
    noise = rng.normal(0, 0.04, (n_repeats, len(ease)))
    values = np.clip(ease * (1 + gain) + (personal + noise) * served, 0, 1)
    return Scores(model, arm, np.arange(len(ease)), values, valid=float(values.mean()) * 1.05, held_out=0.125)


GAINS: Mapping[tuple[str, str, Kind], float] = {
    ("FREEDOM", "both", "content"): 0.14,
    ("FREEDOM", "text", "content"): 0.09,
    ("FREEDOM", "image", "content"): 0.03,
    ("VBPR", "both", "content"): -0.04,
    ("EASE", ONLY, "interactions"): 0.0,
    ("ItemKNN", ONLY, "interactions"): -0.03,
    ("LightGCN", ONLY, "interactions"): -0.05,
    ("TopPop", ONLY, "baseline"): -0.6,
    ("Random", ONLY, "baseline"): -0.97,
    ("FREEDOM", "both_shuffled", "control"): -0.01,
    ("FREEDOM", "both_noise", "control"): -0.03,
    ("FREEDOM", "both_constant", "control"): -0.02,
    ("VBPR", "both_shuffled", "control"): -0.09,
}


BEYOND_ACCURACY = Table(
    title="Beyond accuracy",
    columns=["Model and arm", "Coverage", "Gini", "Novelty"],
    rows=[["FREEDOM (both)", "61.2 %", "0.81", "9.4 bits"], ["EASE", "48.0 %", "0.88", "8.7 bits"]],
)
FOR_WHOM = Table(
    title="For whom",
    caption="Lift of the chosen content over its rival. "
    "That lifts differ between strata: by training interactions, p = 0.003.",
    columns=["Who", "Users", "With content", "Rival", "Lift", "95 % interval", "p", "By interaction"],
    rows=[
        ["all users", "3,000", "0.1444", "0.1288", "+12.1 %", "+9.2 % to +15.0 %", "< 0.001", "+11.0 %"],
        [
            "up to 5 training interactions",
            "1,140",
            "0.1012",
            "0.1055",
            "-4.1 %",
            "-7.0 % to -1.2 %",
            "0.011",
            "-3.8 %",
        ],
        ["cold items", "212", "0.0310", "0.0000", DASH, DASH, "0.002", DASH],
    ],
)
HANGS_ON = Table(
    title="What the answer hangs on",
    caption="In 14 of 18 combinations of metric, cut-off and mask content compares as in the verdict.",
    columns=["Metric", "Mask", "@5", "@10", "@20"],
    rows=[
        ["nDCG", "seen", "+9.1 % better", "+11.0 % better", "+12.1 % better"],
        ["Recall", "seen", "-1.0 % open", "", ""],
    ],
    n_names=2,
)
TABLES = {"strata": FOR_WHOM, "sensitivity": HANGS_ON, "beyond_accuracy": BEYOND_ACCURACY}
LOSES = "Content costs users with up to 5 interactions (38 % of the users): -4.1 % (95 % interval -7.0 % to -1.2 %)."
GATES = [
    Gate(
        name="origin: image",
        colour="amber",
        message="The vectors of 'image' come from a file: whether its maker saw the test part cannot be known here.",
        remedy="Ask who made them.",
    ),
    Gate(name="baselines", colour="green", message="Best personalised nDCG@20 0.1444, TopPop 0.0560."),
]


def dataset(name: str, n_users: int = 3000, strength: float = 1.0, seed: int = 0) -> DatasetReport:
    """A dataset on which content lifts by some ten percent times `strength`."""
    rng = np.random.default_rng(seed)
    ease = taste(n_users, rng)
    cells = {
        key: scores(key[0], key[1], gain * strength if key[2] == "content" else gain, ease, rng)
        for key, gain in GAINS.items()
    }
    content, rival = cells["FREEDOM", "both", "content"], cells["EASE", ONLY, "interactions"]
    sides = Sides(
        content=content,
        rival=rival,
        shuffled=cells["FREEDOM", "both_shuffled", "control"],
        untuned=scores("FREEDOM", "both_shuffled_untuned", -0.03, ease, rng),
        popularity=scores("FREEDOM", "popularity", -0.02, ease, rng),
        itself=scores("FREEDOM", ONLY, -0.02, ease, rng),
    )
    verdict = decide(sides, options=OPTIONS)
    for each in (sides.untuned, sides.popularity):
        cells[each.model, each.arm, "control"] = each
    if sides.itself:
        cells[*sides.itself.pair, "interactions"] = sides.itself
    which = _which_sources({each.pair: each for each in cells.values()}, sides, ease, rng)
    return DatasetReport(
        name=name,
        scenario=ScenarioRow(
            domain="Baby products",
            feedback="purchases with a rating",
            seen_before_choice="title, description and photograph",
            item_kinds="many kinds",
            split="random shares of each user's interactions, 80:10:10, seed 1",
            ranking="training and validation items masked",
            data_date="1996 to 2014",
        ),
        metric="ndcg_at_20",
        verdict=verdict,
        sources=which,
        gates=GATES,
        tried={"content": Tally(pairs=4, trials=80), "rival": Tally(pairs=5, trials=62)},
        losers=[LOSES],
        agreement=Agreement(n_settings=18, n_agree=14, n_contradict=1, n_repeats=3, n_repeats_agree=3),
        counts={"users": n_users, "items": 7050, "train": 118551, "valid": 20559, "test": 21682},
        quarantine=[
            QuarantineRow(table="interactions", reason="repeats an earlier row", n_rows=412),
            QuarantineRow(table="items", reason="the image cannot be read", n_rows=37),
        ],
        content=[
            ContentRow(
                source="text", encoder="all-MiniLM-L6-v2", dim=384, n_present=7050, n_items=7050, n_distinct=6991
            ),
            ContentRow(source="image", encoder="resnet50", dim=2048, n_present=7013, n_items=7050, n_distinct=6872),
        ],
        results=_results(cells),
        comparisons=_comparisons(cells, rival),
        tuning=_tuning(cells, rng),
        checks=[
            CheckRow(name="No pair stands in two parts of the split", passed=True, found="0 of 160,792 pairs"),
            CheckRow(name="A personalised model beats TopPop", passed=True, found="EASE by 148.0 %"),
            CheckRow(name="Images can be told apart", passed=False, found="178 of 7,050 rows repeat another"),
        ],
        sections=[
            Section(asset=f"{name}/analyses/{called}", tables=[table])
            for called, table in (
                ("strata", FOR_WHOM),
                ("sensitivity", HANGS_ON),
                ("beyond_accuracy", BEYOND_ACCURACY),
            )
        ],
        limits=["Items without a photograph were shown a row of zeros."],
        assets=[
            _asset(f"{name}/{kind}")
            for kind in ("dataset", "metrics", "verdict", "analyses/strata", "analyses/beyond_accuracy")
        ],
        links=[Link(text="Tracked runs", address="http://127.0.0.1:5000/#/experiments/3")],
    )


def _asset(asset: str) -> AssetRow:
    version = hashlib.sha256(asset.encode()).hexdigest()
    address = f"http://127.0.0.1:3000/assets/{quote(asset)}"
    return AssetRow(asset=asset, version=version, content=version[::-1], links=[Link(text="asset", address=address)])


def _which_sources(
    known: dict[Pair, Scores], sides: Sides, ease: np.ndarray, rng: np.random.Generator
) -> WhichSources:
    """Text helps by itself, and the image adds nothing to it."""

    def known_as(arm: str, gain: float) -> Pair:
        made = scores("FREEDOM", arm, gain, ease, rng)
        known[made.pair] = made
        return made.pair

    full = sides.content.pair
    design = SourceDesign(
        sources={
            source: SourcePairs(
                own=("FREEDOM", source),
                own_shuffled=known_as(f"{source}_shuffled", -0.02),
                own_untuned=known_as(f"{source}_shuffled_untuned", -0.03),
                full=full,
                full_altered=known_as(f"both_{source}_shuffled", altered),
            )
            for source, altered in (("text", 0.04), ("image", 0.14))
        },
        groups=[GroupPairs(sources=("text", "image"), full=full, full_altered=sides.shuffled.pair)],
        subsets={
            "": known_as(ONLY, -0.02),
            "text": ("FREEDOM", "text"),
            "image": ("FREEDOM", "image"),
            "text+image": full,
        },
    )
    reads = {"text": frozenset({"text"}), "image": frozenset({"image"})}
    return judge_sources(design, known, sides.rival, reads, options=OPTIONS)


def without_content(name: str, n_users: int = 3000, seed: int = 0) -> DatasetReport:
    """A dataset on which no content was compared: EASE is best, LightGCN as good as equal, the others worse."""
    rng = np.random.default_rng(seed)
    ease = taste(n_users, rng)
    kinds: dict[str, Kind] = {"EASE": "interactions", "LightGCN": "interactions", "ItemKNN": "interactions"}
    kinds["TopPop"] = "baseline"
    gains = {"EASE": 0.0, "LightGCN": -0.002, "ItemKNN": -0.05, "TopPop": -0.6}
    found = {(model, ONLY, kinds[model]): scores(model, ONLY, gain, ease, rng) for model, gain in gains.items()}
    results = _results(found)
    leaderboard = rank_models(
        {each.pair: each for each in found.values()},
        {(row.model, row.arm): row.metrics["ndcg_at_20"] for row in results},
        metric="ndcg_at_20",
        options=OPTIONS,
    )
    full = dataset(name, n_users=300)
    return DatasetReport(
        name=name,
        scenario=full.scenario,
        metric="ndcg_at_20",
        verdict=None,
        leaderboard=leaderboard,
        counts=full.counts,
        results=results,
        comparisons=[ComparisonRow(comparison=each, kind=kinds[each.model_a]) for each in leaderboard.comparisons],
        tuning=_tuning(found, rng),
        checks=full.checks,
    )


def _results(cells: dict[tuple[str, str, Kind], Scores]) -> list[ResultRow]:
    intervals = mean_intervals({key: each.values for key, each in cells.items()}, n_resamples=200)
    return [
        ResultRow(
            model=key[0],
            arm=key[1],
            kind=key[2],
            metrics={"ndcg_at_20": intervals[key], "recall_at_20": intervals[key], "ndcg_at_10": intervals[key]},
            repeat_means=each.values.mean(axis=1).tolist(),
            valid=each.valid,
            n_trials=1 if key[2] == "baseline" else 20,
            budget=20,
            exhausted=key[2] == "baseline",
            seconds=3.2 if key[2] == "baseline" else 412.0,
            params={} if key[2] == "baseline" else {"l2": 0.001, "n_layers": 2},
            cells=[hashlib.sha256(f"{key}{n}".encode()).hexdigest() for n in range(len(each.values))],
            runs=Link(text="MLflow", address=f"http://127.0.0.1:5000/#/experiments/3/runs?{quote(' '.join(key))}"),
        )
        for key, each in cells.items()
    ]


def _comparisons(cells: dict[tuple[str, str, Kind], Scores], rival: Scores) -> list[ComparisonRow]:
    shown = {key: each for key, each in cells.items() if key[2] in ("content", "control")}
    corrected = holm([compare(each, rival, options=OPTIONS) for each in shown.values()])
    return [_row(comparison, kind) for (_, _, kind), comparison in zip(shown, corrected, strict=True)]


def _row(comparison: Comparison, kind: Kind) -> ComparisonRow:
    if kind == "content":
        return ComparisonRow(comparison=comparison, kind=kind)
    arm, _, control = comparison.arm_a.rpartition("_")
    return ComparisonRow(comparison=comparison, kind=kind, control=control, control_of=arm)


def _tuning(cells: dict[tuple[str, str, Kind], Scores], rng: np.random.Generator) -> list[TuningCurve]:
    return [
        TuningCurve(
            model=model,
            arm=arm,
            kind=kind,
            best=np.maximum.accumulate(each.valid * (1 - rng.exponential(0.08, 20))).tolist(),
        )
        for (model, arm, kind), each in cells.items()
        if kind != "baseline" and not arm.endswith(("noise", "constant"))
    ]


def study(*datasets: DatasetReport) -> StudyReport:
    """A study of these datasets."""
    return StudyReport(
        title="Does content help on three catalogues?",
        question="Do text and photographs beat the best model that sees interactions only?",
        date=date(2026, 11, 21),
        datasets=list(datasets),
        run=RunFacts(
            versions={"modalift": "0.1.0", "numpy": "2.4.6", "torch": "2.13.0"},
            repeats=3,
            budget="20 trials",
            wall_seconds=8140.0,
            training_seconds=15200.0,
            commands=["uv sync --frozen", "uv run modalift run studies/demo.yaml"],
        ),
        sources={"EASE": "Steck: Embarrassingly shallow autoencoders for sparse data, WWW 2019"},
    )


def truth() -> list[TruthRow]:
    """What was planted in an image-driven market."""
    return [
        TruthRow(what="verdict", expected="helps", found="helps", agrees=True),
        TruthRow(what="source", expected="image", found="text", agrees=False),
    ]

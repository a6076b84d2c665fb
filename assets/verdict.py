"""`<dataset>/verdict`: whether content helps here, which part of it, and how sure that is."""

from collections.abc import Mapping
from functools import partial

import dagster as dg
import pandas as pd

from orchestration import keys
from orchestration.asset_factory import Making, Node
from orchestration.dagster_metadata import table
from orchestration.home import Home
from orchestration.lineage import Event
from orchestration.usable import usable_study
from recsys.content.features import FEATURES, Features
from recsys.data.dataset import Dataset
from recsys.fingerprints import code_of, fingerprint
from recsys.study.judgement import Judgement, judge
from recsys.study.measuring import UserScores
from recsys.study.readiness import assess
from recsys.study.record import AssetRecord, Check
from recsys.study.results import ModelResult
from recsys.study.selection import Selection
from recsys.study.study import Study

READY = "ready_to_be_answered"


def node(study: Study, name: str) -> Node:
    """The asset of one dataset's verdict."""
    spec = study.datasets[name]
    stated = spec.model_dump(include={"questions", "scenario"})
    settings = [study.statistics.model_dump(), study.evaluation.primary, stated, spec.comparison_identity]
    # A remedy speaks of the budget: results may be the same under another one.
    budget = [study.tuning.model_dump(), study.n_repeats]
    return Node(
        asset=keys.verdict(name),
        group=name,
        inputs=[
            keys.dataset(name),
            *(keys.embeddings(name, source) for source in spec.content),
            keys.controls(name),
            keys.metrics(name),
        ],
        version=fingerprint(settings, budget, code_of(f"{__name__}:make")),
        make=partial(make, study, name),
        show=show,
        description="Content against its best rival and its controls; which source; what could overturn the answer.",
        kinds=frozenset({"python"}),
        checks={READY: "The question is ready to be answered: no red gate"},
    )


def make(study: Study, name: str, making: Making) -> AssetRecord:
    """Judge what was chosen."""
    study = usable_study(study, name, making.home)
    chosen, metrics = Selection.load(making.read[keys.controls(name)]), making.read[keys.metrics(name)]
    results, scores = ModelResult.load(metrics), UserScores(metrics)
    data = Dataset.load(making.read[keys.dataset(name)])
    features = {
        source: Features.load(making.read[keys.embeddings(name, source)] / FEATURES)
        for source in study.datasets[name].content
    }
    readiness = assess(study, name, chosen, results, scores, data, features, making.home.cell(name))
    judgement = judge(study, name, chosen, scores, readiness)
    judgement.save(making.out)
    overall = judgement.overall
    return AssetRecord(
        facts={
            "verdict": overall.name,
            "sources": judgement.sources.named,
            "sentence": overall.sentence,
            "advice": overall.advice,
        },
        rows=1,
        checks=[Check(name=READY, passed=overall.name != "not_ready", message=_stopped(judgement))],
    )


def _stopped(judgement: Judgement) -> str:
    red = [gate.message for gate in judgement.gates if gate.colour == "red"]
    return "; ".join(red) or "nothing stops the verdict"


def show(home: Home, event: Event) -> Mapping[str, object]:
    """The sentence, the comparisons that it rests on, and the answers to the study's questions."""
    judgement = Judgement.load(home.folder(event))
    overall = judgement.overall
    compared = {
        "best rival": overall.against_rival,
        "shuffled, tuned anew": overall.against_shuffled,
        "shuffled, at its own settings": overall.against_untuned,
        "popularity as content": overall.against_popularity,
        "itself without content": overall.against_itself,
    }
    rows = [
        {"against": against, "lift": c.lift, "low": c.lift_low, "high": c.lift_high, "p": c.p_value}
        for against, c in compared.items()
        if c
    ]
    return {
        "verdict": overall.name,
        "sentence": dg.MetadataValue.md(overall.sentence),
        "advice": dg.MetadataValue.md(overall.advice),
        "sources": dg.MetadataValue.md(judgement.sources.sentence),
        **{f"{gate.colour}: {gate.name}": gate.message for gate in judgement.gates if gate.colour != "green"},
        "comparisons": table(pd.DataFrame(rows)),
        **{each.ask: dg.MetadataValue.md(each.sentence) for each in judgement.questions},
    }

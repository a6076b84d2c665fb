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
from recsys.fingerprints import code_of, fingerprint
from recsys.study.judgement import Judgement, judge
from recsys.study.measuring import UserScores
from recsys.study.record import AssetRecord
from recsys.study.selection import Selection
from recsys.study.study import Study


def node(study: Study, name: str) -> Node:
    """The asset of one dataset's verdict."""
    asked = [question.model_dump() for question in study.datasets[name].questions]
    settings = [study.statistics.model_dump(), study.evaluation.primary, asked]
    return Node(
        asset=keys.verdict(name),
        group=name,
        inputs=[keys.metrics(name), keys.controls(name)],
        version=fingerprint(settings, code_of(f"{__name__}:make", "recsys.study.judgement:judge")),
        make=partial(make, study, name),
        show=show,
        description="Content against its best rival and against its shuffled control; sources where it helps.",
        kinds=frozenset({"python"}),
    )


def make(study: Study, name: str, making: Making) -> AssetRecord:
    """Judge what was chosen."""
    chosen = Selection.load(making.read[keys.controls(name)])
    judgement = judge(study, name, chosen, UserScores(making.read[keys.metrics(name)]))
    judgement.save(making.out)
    overall = judgement.overall
    named = [source.source for source in judgement.by_source if source.named]
    return AssetRecord(facts={"verdict": overall.name, "sources": named, "sentence": overall.sentence}, rows=1)


def show(home: Home, event: Event) -> Mapping[str, object]:
    """The sentence, the two comparisons it rests on, and the answers to the study's questions."""
    judgement = Judgement.load(home.folder(event))
    overall = judgement.overall
    rows = [
        {"against": against, "lift": c.lift, "low": c.lift_low, "high": c.lift_high, "p": c.p_value}
        for against, c in (("best rival", overall.against_rival), ("shuffled", overall.against_shuffled))
    ]
    return {
        "verdict": overall.name,
        "sentence": dg.MetadataValue.md(overall.sentence),
        "sources": ", ".join(source.source for source in judgement.by_source if source.named) or "none",
        "comparisons": table(pd.DataFrame(rows)),
        **{each.ask: dg.MetadataValue.md(each.sentence) for each in judgement.questions},
    }

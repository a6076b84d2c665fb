"""Whether a dataset's question is ready to be answered: its gates, and whether content made any difference at all."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from recsys.content.arms import INTERACTIONS_ONLY
from recsys.content.features import Features
from recsys.content.integrity import inspect
from recsys.content.neighbours import share_with_twin
from recsys.data.dataset import Dataset
from recsys.evaluation.ranking import same_lists
from recsys.evidence import content_gates, gates
from recsys.evidence.comparison import Comparison, compare
from recsys.evidence.gates import Gate
from recsys.evidence.probes import probe
from recsys.evidence.scores import Scores
from recsys.study.dataset_spec import DatasetSpec
from recsys.study.measuring import CellOf, UserScores
from recsys.study.results import ArmResult, ModelResult
from recsys.study.selection import Selection
from recsys.study.study import Study
from recsys.tuning.plateau import late_gain

SAME_LISTS = 0.99
"""Share of users with the same list from which on content was not chosen."""
TOP_POP = ("TopPop", INTERACTIONS_ONLY)


@dataclass(frozen=True)
class Readiness:
    """What was found before the verdict.

    Attributes:
        gates: red, amber, then green.
        unchanged: whether the chosen model recommends the same without its content.
    """

    gates: list[Gate]
    unchanged: bool

    @property
    def stopped(self) -> list[str]:
        """Why the question is not ready, and what to do, a line each."""
        return [f"{gate.message} {gate.remedy}" for gate in self.gates if gate.colour == "red"]


def assess(
    study: Study,
    name: str,
    chosen: Selection,
    results: ModelResult,
    scores: UserScores,
    data: Dataset,
    features: Mapping[str, Features],
    cell: CellOf,
) -> Readiness:
    """Look at all gates of a dataset.

    Args:
        study: gives the scenario and the statistics.
        name: the dataset's.
        chosen: who is compared.
        results: every (model, arm) that was trained.
        scores: of these.
        data: the dataset.
        features: of every source.
        cell: gives a stored cell by its fingerprint.
    """
    spec = study.datasets[name]
    content, rival = scores[chosen.content], scores[chosen.rival]
    deciding = [found for pair in _deciding(chosen) if (found := results.find(pair))]
    sought = _least_settled(results.arm(chosen.rival), results)
    shown = {source: features[source] for source in results.arm(chosen.content).sources}
    against_rival = compare(content, rival, margin=study.statistics.margin, n_resamples=1)
    differences = (content.values - rival.restricted(content.users).values).mean(axis=0)
    means = {pair: float(scores[pair].values.mean()) for pair in scores}
    random_split = not data.later_parts.empty
    unchanged = _unchanged(chosen, results, cell, study.evaluation.primary_k)
    every = [
        *(content_gates.content_rows(source, inspect(each, data.items)) for source, each in shown.items()),
        gates.beats_baselines(means, study.evaluation.primary, _against_top_pop(content, rival, scores)),
        # A model that makes no use of its content may be the rival itself: that is an answer, and not a fault.
        *([] if unchanged else [gates.users_differ(differences, equivalent=against_rival.equivalent)]),
        gates.rival_plateaued(_trials(sought), sought.exhausted, sought.n_nested),
        gates.finals_agree({each.pair: each.valid_by_repeat for each in deciding}),
        *(
            content_gates.leak(source, probe(each, data.train, data.valid, data.test, random_split=random_split))
            for source, each in features.items()
        ),
        gates.too_good(against_rival.lift),
        *(content_gates.near_duplicates(source, share_with_twin(each)) for source, each in shown.items()),
        gates.scenario_stated(spec.scenario.model_dump()),
        gates.repeated(study.n_repeats),
        content_gates.provenance(_from_files(spec)),
    ]
    return Readiness(gates.in_reading_order(every), unchanged)


def _deciding(chosen: Selection) -> tuple[tuple[str, str], ...]:
    # Shuffled rows at settings that were made for real ones may well do badly in a repeat: that is no fault.
    return chosen.content, chosen.rival, chosen.shuffled, chosen.popularity


def _least_settled(rival: ArmResult, results: ModelResult) -> ArmResult:
    """Whose search is asked whether it was over: the rival's, or that of the member which still gained most."""
    open_ones = [each for pair in rival.members if not (each := results.arm(pair)).exhausted]
    return max(open_ones, key=lambda each: late_gain(_trials(each)), default=rival)


def _trials(arm: ArmResult) -> list[float | None]:
    """Validation metric of what was tried: settings chosen elsewhere first, for they are no gain of the own search."""
    own = len(arm.trials) - arm.n_nested
    return [trial.valid if trial.counts else None for trial in (*arm.trials[own:], *arm.trials[:own])]


def _from_files(spec: DatasetSpec) -> list[str]:
    """Sources whose vectors, or whose descriptions, were made elsewhere."""
    made_elsewhere = [source for source, content in spec.content.items() if content.encoder == "matrix_file"]
    read = {corpus for corpus, given in spec.descriptions.items() if given.file}
    return [*made_elsewhere, *(source for source, content in spec.content.items() if content.corpus in read)]


def _against_top_pop(content: Scores, rival: Scores, scores: UserScores) -> Comparison | None:
    """The better of the two on validation against TopPop, where the study has it."""
    best = max(content, rival, key=lambda each: each.valid)
    return compare(best, scores[TOP_POP], n_resamples=1) if TOP_POP in scores and best.pair != TOP_POP else None


def _unchanged(chosen: Selection, results: ModelResult, cell: CellOf, k: int) -> bool:
    """Whether lists are the same without content; each repeat's model against itself at the same settings."""
    content = results.arm(chosen.content)
    removed = results.find(chosen.removed) if chosen.removed else None
    if removed is None:
        return False
    pairs = zip(content.finals, removed.finals, strict=True)
    same = [same_lists(cell(ours).lists("test"), cell(theirs).lists("test"), k) for ours, theirs in pairs]
    return bool(np.mean(same) >= SAME_LISTS)

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
from recsys.evidence.comparison import DEFAULTS, Comparison, compare
from recsys.evidence.gates import Gate
from recsys.evidence.probes import probe
from recsys.evidence.scores import Scores, label
from recsys.study.dataset_spec import DatasetSpec
from recsys.study.measuring import CellOf, UserScores
from recsys.study.results import ArmResult, ModelResult
from recsys.study.selection import Selection
from recsys.study.study import Study
from recsys.tuning.plateau import FEWEST_TRIALS, late_gain
from recsys.wording import listed

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
    shown = {source: features[source] for source in results.arm(chosen.content).sources}
    against_rival = compare(content, rival, study.statistics.options.without_p_users)
    differences = (content.values - rival.restricted(content.users).values).mean(axis=0)
    means = {pair: float(scores[pair].values.mean()) for pair in scores}
    unchanged = _unchanged(chosen, results, cell, study.evaluation.primary_k)
    every = [
        *(content_gates.content_rows(source, inspect(each, data.items)) for source, each in shown.items()),
        gates.beats_baselines(means, study.evaluation.primary, _against_top_pop(content, rival, scores)),
        # A model that makes no use of its content may be the rival itself: that is an answer, and not a fault.
        *([] if unchanged else [gates.users_differ(differences, equivalent=against_rival.equivalent)]),
        plateau(study, results.arm(chosen.rival), results),
        gates.finals_agree({each.pair: each.valid_by_repeat for each in deciding}),
        *(
            content_gates.leak(
                source, probe(each, data.train, data.valid, data.test, random_split=data.split_is_drawn)
            )
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


def plateau(study: Study, rival: ArmResult, results: ModelResult) -> Gate:
    """Whether the rival's search was over; of an ensemble that of each member, and the least settled one is named.

    Args:
        study: gives the budget of searches.
        rival: the best model without content.
        results: of all models, members of ensembles among them.
    """
    if not rival.members:
        minutes = _search_minutes(study, rival)
        return gates.rival_plateaued(_trials(rival), rival.exhausted, rival.n_nested, minutes=minutes)
    members = [results.arm(pair) for pair in rival.members]
    open_ones = sorted((each for each in members if not each.exhausted), key=lambda each: -late_gain(_trials(each)))
    if not open_ones:
        names = listed([label(*each.pair) for each in members])
        whose = f"{names}, {'members' if len(members) > 1 else 'a member'} of the rival {rival.model},"
        return gates.rival_plateaued([value for each in members for value in _trials(each)], True, whose=whose)
    found = [
        gates.rival_plateaued(
            _trials(each),
            False,
            each.n_nested,
            f"{label(*each.pair)}, a member of the rival {rival.model},",
            _search_minutes(study, each),
        )
        for each in open_ones
    ]
    return gates.in_reading_order(found)[0]


def _search_minutes(study: Study, arm: ArmResult) -> float | None:
    """The time that ended an arm's search; None where its number of trials did, or is too small for any plateau."""
    most = study.trials_of(arm.model)
    return study.tuning.minutes if arm.n_trials < most and most >= FEWEST_TRIALS else None


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
    if TOP_POP not in scores or best.pair == TOP_POP:
        return None
    return compare(best, scores[TOP_POP], DEFAULTS.without_p_users)


def _unchanged(chosen: Selection, results: ModelResult, cell: CellOf, k: int) -> bool:
    """Whether lists are the same without content; each repeat's model against itself at the same settings."""
    content = results.arm(chosen.content)
    removed = results.find(chosen.removed) if chosen.removed else None
    if removed is None:
        return False
    pairs = zip(content.finals, removed.finals, strict=True)
    same = [same_lists(cell(ours).lists("test"), cell(theirs).lists("test"), k) for ours, theirs in pairs]
    return bool(np.mean(same) >= SAME_LISTS)

"""The verdict on a dataset: does content help here.

Who is compared, all chosen on validation: C, the best content-using (model, arm); I, the best interaction-only model;
S1 and S0, C with its rows shuffled, tuned anew and at C's own settings; P, C with popularity as its content. Beating I
says that content pays, beating S1 and S0 that it is content and not capacity, beating P that it is more than what
sells. `helps` is an intersection of tests, each at 5 %, and needs no correction inside. Every other claim is a claim
too: sameness needs equivalence within the margin, and what is neither shown to differ nor to be the same is open.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from recsys.evidence.comparison import MARGIN, N_RESAMPLES, Comparison, compare
from recsys.evidence.scores import Scores
from recsys.evidence.verdict_wording import advice, sentence

VerdictName = Literal[
    "helps",
    "helps_a_little",
    "popularity_not_content",
    "capacity_not_content",
    "used_but_does_not_pay",
    "no_effect",
    "harms",
    "model_harms",
    "content_not_chosen",
    "not_ready",
    "inconclusive",
]
HELPS: tuple[VerdictName, ...] = ("helps", "helps_a_little")


@dataclass(frozen=True)
class Sides:
    """The scores that a verdict compares.

    Attributes:
        content: C.
        rival: I.
        shuffled: S1.
        untuned: S0.
        popularity: P.
        itself: the same model without content, tuned with C's budget.
    """

    content: Scores
    rival: Scores
    shuffled: Scores
    untuned: Scores
    popularity: Scores
    itself: Scores | None = None


@dataclass(frozen=True)
class Verdict:
    """What the evidence says about one dataset.

    Attributes:
        name: the verdict.
        sentence: what holds and what does not, with the figures.
        advice: what the person who decides should do.
        metric: what all figures are in, such as `ndcg_at_20`.
        against_rival: C against I; likewise `against_shuffled` (S1), `against_untuned` (S0), `against_popularity` (P)
            and `against_itself`, None where the model has no such arm.
        shuffled_against_rival: S1 against I.
    """

    name: VerdictName
    sentence: str
    advice: str
    metric: str
    against_rival: Comparison
    against_shuffled: Comparison
    against_untuned: Comparison
    against_popularity: Comparison
    against_itself: Comparison | None
    shuffled_against_rival: Comparison

    @property
    def gain(self) -> Comparison:
        """What content itself gives: C against the best of its shuffled selves and of itself without content."""
        compared = (self.against_shuffled, self.against_untuned, self.against_itself)
        return max((each for each in compared if each), key=lambda each: each.mean_b)


def decide(
    sides: Sides,
    *,
    stopped: Sequence[str] = (),
    unchanged: bool = False,
    metric: str = "ndcg_at_20",
    margin: float = MARGIN,
    n_resamples: int = N_RESAMPLES,
    seed: int = 0,
) -> Verdict:
    """The verdict.

    Args:
        sides: who is compared.
        stopped: why the question is not ready to be answered (see `recsys.evidence.gates`); a line each.
        unchanged: whether C's lists are the same without its content.
        metric: of the scores.
        margin: of equivalence, and what a lift must reach to count as more than a little.
        n_resamples: of each comparison.
        seed: of each comparison.
    """
    how: dict[str, Any] = {"margin": margin, "n_resamples": n_resamples, "seed": seed}
    content, rival = sides.content, sides.rival
    compared: dict[str, Any] = {
        "against_rival": compare(content, rival, **how),
        "against_shuffled": compare(content, sides.shuffled, **how),
        "against_untuned": compare(content, sides.untuned, **how),
        "against_popularity": compare(content, sides.popularity, **how),
        "against_itself": compare(content, sides.itself, **how) if sides.itself else None,
        "shuffled_against_rival": compare(sides.shuffled, rival, **how),
    }
    draft = Verdict("inconclusive", "", "", metric, **compared)
    name = _name(draft, stopped=bool(stopped), unchanged=unchanged or not content.content_used)
    return Verdict(name, sentence(name, draft, stopped), advice(name, draft), metric, **compared)


def _name(found: Verdict, *, stopped: bool, unchanged: bool) -> VerdictName:
    """The row of the table in `docs/evidence.md`, read from the top: the first that holds."""
    rival, popularity = found.against_rival, found.against_popularity
    shuffled, untuned, capacity = found.against_shuffled, found.against_untuned, found.shuffled_against_rival
    used = shuffled.a_better and untuned.a_better
    if stopped:
        return "not_ready"
    if unchanged:
        return "content_not_chosen"
    if rival.a_better and used and popularity.a_better:
        return "helps" if rival.lift >= rival.margin or rival.mean_b == 0 else "helps_a_little"
    if rival.a_better and used and (popularity.equivalent or popularity.b_better):
        return "popularity_not_content"
    if capacity.a_better and shuffled.equivalent:
        return "capacity_not_content"
    if used and rival.lift_high < rival.margin:
        return "used_but_does_not_pay"
    if rival.equivalent and shuffled.equivalent and untuned.equivalent:
        return "no_effect"
    if rival.b_better and shuffled.b_better:
        return "harms"
    if rival.b_better and shuffled.equivalent:
        return "model_harms"
    return "inconclusive"

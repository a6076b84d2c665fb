"""The verdict on a dataset: does content help here.

Who is compared, all chosen on validation: C, the best content-using (model, arm); I, the best interaction-only model;
S1 and S0, C with its rows shuffled, tuned anew and at C's own settings; P, C with popularity as its content. Beating I
says that content pays, beating S1 and S0 that it is content and not capacity, beating P that it is more than what
sells. `helps` is an intersection of tests, each at 5 %, and needs no correction inside. Every other claim is a claim
too: sameness needs equivalence within the margin, and what is neither shown to differ nor to be the same is open.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from recsys.evidence.comparison import DEFAULTS, ComparisonOptions, compare
from recsys.evidence.scores import Scores
from recsys.evidence.verdict import Verdict, VerdictName
from recsys.evidence.verdict_table import TableInput
from recsys.evidence.verdict_wording import advice, sentence


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


def decide(
    sides: Sides,
    options: ComparisonOptions = DEFAULTS,
    *,
    stopped: Sequence[str] = (),
    unchanged: bool = False,
    metric: str = "ndcg_at_20",
) -> Verdict:
    """The verdict.

    Args:
        sides: who is compared.
        options: how; the margin is also what a lift must reach to count as more than a little.
        stopped: why the question is not ready to be answered (see `recsys.evidence.gates`); a line each.
        unchanged: whether C's lists are the same without its content.
        metric: of the scores.
    """
    content, rival = sides.content, sides.rival
    compared: dict[str, Any] = {
        "against_rival": compare(content, rival, options),
        "against_shuffled": compare(content, sides.shuffled, options),
        "against_untuned": compare(content, sides.untuned, options),
        "against_popularity": compare(content, sides.popularity, options),
        "against_itself": compare(content, sides.itself, options) if sides.itself else None,
        "shuffled_against_rival": compare(sides.shuffled, rival, options),
    }
    draft = Verdict("inconclusive", "", "", metric, **compared)
    name = _name(draft, stopped=bool(stopped), unchanged=unchanged or not content.content_used)
    return Verdict(name, sentence(name, draft, stopped), advice(name, draft), metric, **compared)


def _name(found: Verdict, *, stopped: bool, unchanged: bool) -> VerdictName:
    if stopped:
        return "not_ready"
    return "content_not_chosen" if unchanged else TableInput.of(found).verdict

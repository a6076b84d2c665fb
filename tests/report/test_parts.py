"""What a report reads off stored results."""

from types import SimpleNamespace

import pytest

from recsys.report.parts import unanswered, wall_seconds
from recsys.study.judgement_spec import Question


@pytest.mark.parametrize(
    ("spans", "seconds"),
    [
        ([], 0),
        ([(0, 10), (5, 20)], 20),
        ([(0, 10), (2, 4), (2, 12)], 12),
        ([(1000, 1010), (0, 10)], 20),
    ],
)
def test_wall_time_leaves_out_pauses_and_what_ran_side_by_side(spans, seconds):
    assert wall_seconds(spans) == seconds


def test_questions_that_no_model_can_answer_are_said():
    asked = [Question(ask=f"{arm}?", better=arm, than="shuffled") for arm in ("text", "image")]
    judgement = SimpleNamespace(questions=[SimpleNamespace(ask="text?")])
    (said,) = unanswered(asked, judgement)
    assert said == "“image?” is not answered: no model could be trained on image and shuffled."
    assert len(unanswered(asked, None)) == 2

"""A study without the sources that turned out to be of no use: what is left of arms, questions and corpora."""

import pytest

from recsys.content.arms import INTERACTIONS_ONLY
from recsys.study.selection import has_verdict
from recsys.study.study import Study

DATASETS = {
    "shop": {
        "source": {"reader": "market"},
        "descriptions": {
            "seen": {"model": "m", "prompt": "movies_fields"},
            "read": {"model": "m", "prompt": "movies_fields"},
        },
        "content": {
            "text": {"encoder": "tfidf_svd"},
            "image": {"encoder": "visual_descriptors"},
            "words": {"encoder": "keywords", "corpus": "seen"},
            "states": {"encoder": "hidden_states", "corpus": "seen"},
            "other": {"encoder": "keywords", "corpus": "read"},
        },
        "both": ["text", "words"],
        "questions": [
            {"ask": "a", "better": "words", "than": "image"},
            {"ask": "b", "better": "image", "than": "text"},
            {"ask": "c", "better": "image", "than": "shuffled"},
        ],
    }
}
MODELS = {"TopPop": {}, "HybridItemKNN": {"arms": ["words", "image", "both"]}, "AttributeItemKNN": {}}


@pytest.fixture
def study() -> Study:
    return Study(name="s", title="t", datasets=DATASETS, models=MODELS, controls=("shuffled",))


def test_what_shows_a_lost_source_is_left_out_and_the_rest_stays(study: Study) -> None:
    left = study.without_sources("shop", {"words", "states"})
    spec = left.datasets["shop"]
    assert list(spec.content) == ["text", "image", "other"] and list(spec.descriptions) == ["read"]
    assert spec.both == ("text",) and [each.ask for each in spec.questions] == ["b", "c"]
    assert [arm.name for arm in left.arms_of("shop", "HybridItemKNN")] == ["text", "image", INTERACTIONS_ONLY]
    assert all(set(arm.sources) <= set(spec.content) for arm in left.arms_of("shop", "AttributeItemKNN"))


def test_what_is_said_of_both_is_said_of_the_one_source_that_is_left_of_it(study: Study) -> None:
    asked = ({"ask": "d", "better": "both", "than": "image"}, {"ask": "e", "better": "both", "than": "text"})
    spec = study.datasets["shop"].model_dump() | {"questions": asked}
    models = {"TopPop": {}, "HybridItemKNN": {"arms": ["both", "shuffled"]}, "AttributeItemKNN": {}}
    left = Study(name="s", title="t", datasets={"shop": spec}, models=models).without_sources("shop", {"words"})
    (question,) = left.datasets["shop"].questions
    assert (question.ask, question.better, question.than) == ("d", "text", "image")
    assert [arm.name for arm in left.arms_of("shop", "HybridItemKNN")] == ["text", INTERACTIONS_ONLY, "shuffled"]


def test_a_corpus_stays_while_another_source_reads_it(study: Study) -> None:
    spec = study.without_sources("shop", {"words"}).datasets["shop"]
    assert list(spec.descriptions) == ["seen", "read"] and "states" in spec.content


def test_without_any_source_there_is_no_verdict(study: Study) -> None:
    left = study.without_sources("shop", set(study.datasets["shop"].content))
    assert has_verdict(study, "shop") and not has_verdict(left, "shop")
    assert [arm.name for arm in left.arms_of("shop", "HybridItemKNN")] == [INTERACTIONS_ONLY]


def test_without_losses_it_is_the_same_study(study: Study) -> None:
    assert study.without_sources("shop", set()) is study

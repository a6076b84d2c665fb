"""Controls keep shape and values, and nothing that links a row to its item."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from recsys.content.arms import POPULARITY_BINS, Arm, content_arm, control_arm
from recsys.content.features import Content, Features
from recsys.errors import UserError

CONTROLS = ("shuffled", "noise", "constant")
NOBODY = np.zeros(0)
"""Popularity that no control looks at but the one named after it."""


def table(n_items: int, dim: int, seed: int) -> Features:
    random = np.random.default_rng(seed)
    return Features.where(random.random(n_items) < 0.7, random.normal(3, 2, (n_items, dim)))


def copy(content: Content) -> Content:
    return {source: Features(each.matrix.copy(), each.present.copy()) for source, each in content.items()}


def same(a: Features, b: Features) -> bool:
    return np.array_equal(a.matrix, b.matrix) and np.array_equal(a.present, b.present)


contents = st.builds(
    lambda n_items, dim, seed: {"text": table(n_items, dim, seed), "image": table(n_items, dim + 1, seed + 1)},
    st.integers(1, 40),
    st.integers(1, 5),
    st.integers(0, 1000),
)
BOTH = content_arm("both", ["text", "image"])


def test_honest_arm_shows_its_sources_as_they_are():
    content = {"text": table(5, 2, 0), "image": table(5, 3, 1)}
    assert content_arm("text", ["text"]).show(content, 7, NOBODY) == {"text": content["text"]}
    assert Arm("interactions_only").show(content, 7, NOBODY) == {}


@given(contents, st.sampled_from(CONTROLS), st.integers(0, 10))
@settings(max_examples=60)
def test_show_is_pure(content, control, seed):
    before = copy(content)
    arm = control_arm(BOTH, control)
    first, second = arm.show(content, seed, NOBODY), arm.show(content, seed, NOBODY)
    for source in content:
        assert same(content[source], before[source])
        assert same(first[source], second[source])
        assert first[source].matrix.shape == content[source].matrix.shape


@given(contents, st.integers(0, 10))
@settings(max_examples=60)
def test_shuffled_keeps_the_rows_and_the_share_present(content, seed):
    shown = control_arm(BOTH, "shuffled").show(content, seed, NOBODY)
    for source in content:
        whole = [np.column_stack([each[source].present, each[source].matrix]) for each in (content, shown)]
        before, after = (sorted(map(tuple, rows)) for rows in whole)
        assert before == after


@given(st.integers(2, 50), st.integers(0, 20))
@settings(max_examples=30)
def test_shuffled_moves_all_altered_sources_by_one_permutation(n_items, seed):
    number = np.arange(1, n_items + 1, dtype=np.float32)[:, None]
    present = np.ones(n_items, dtype=bool)
    content = {"text": Features(number, present), "image": Features(np.hstack([number, -number]), present)}
    both = control_arm(BOTH, "shuffled").show(content, seed, NOBODY)
    np.testing.assert_array_equal(both["text"].matrix[:, 0], both["image"].matrix[:, 0])
    only_text = control_arm(BOTH, "shuffled", ["text"]).show(content, seed, NOBODY)
    assert same(only_text["text"], both["text"])
    assert only_text["image"] is content["image"]


@pytest.mark.parametrize("control", ["shuffled", "noise"])
def test_another_seed_gives_another_draw(control):
    content = {"text": table(50, 3, 0), "image": table(50, 3, 1)}
    arm = control_arm(BOTH, control)
    assert not same(arm.show(content, 1, NOBODY)["text"], arm.show(content, 2, NOBODY)["text"])


def test_noise_has_the_mean_and_spread_of_each_column_and_no_link_to_the_item():
    features = table(20_000, 3, 0)
    shown = control_arm(content_arm("text", ["text"]), "noise").show({"text": features}, 3, NOBODY)["text"]
    real, drawn = features.matrix[features.present], shown.matrix[shown.present]
    assert len(real) == len(drawn)
    # Standard errors: spread / sqrt(14,000) is 0.017 for the mean; five of them are allowed.
    np.testing.assert_allclose(drawn.mean(axis=0), real.mean(axis=0), atol=0.085)
    np.testing.assert_allclose(drawn.std(axis=0), real.std(axis=0), atol=0.085)
    linked = [np.corrcoef(features.matrix[:, column], shown.matrix[:, column])[0, 1] for column in range(3)]
    assert np.abs(linked).max() < 0.04
    assert not shown.matrix[~shown.present].any()


def test_sources_of_one_width_get_noise_of_their_own():
    content = {"text": table(2000, 2, 0), "image": table(2000, 2, 1)}
    shown = control_arm(BOTH, "noise").show(content, 0, NOBODY)
    both = shown["text"].present & shown["image"].present
    link = np.corrcoef(shown["text"].matrix[both, 0], shown["image"].matrix[both, 0])[0, 1]
    assert abs(link) < 0.15


@pytest.mark.parametrize("control", CONTROLS)
def test_no_control_leaves_the_mask_with_its_items(control):
    present = np.arange(1000) < 500
    features = Features.where(present, np.ones((1000, 2)))
    shown = control_arm(content_arm("text", ["text"]), control).show({"text": features}, 0, NOBODY)["text"]
    assert shown.present[:500].mean() == pytest.approx(shown.present[500:].mean(), abs=0.1)


def test_constant_is_one_row_the_mean_of_the_known_ones():
    features = Features.where(np.array([True, True, False]), np.array([[1, 2], [3, 6], [9, 9]]))
    shown = control_arm(content_arm("text", ["text"]), "constant").show({"text": features}, 0, NOBODY)["text"]
    np.testing.assert_array_equal(shown.matrix, [[2, 4]] * 3)
    assert shown.present.all()


@pytest.mark.parametrize("control", CONTROLS)
def test_a_source_that_no_item_has_stays_empty(control):
    nothing = Features(np.zeros((4, 2), np.float32), np.zeros(4, dtype=bool))
    shown = control_arm(content_arm("text", ["text"]), control).show({"text": nothing}, 0, NOBODY)["text"]
    assert same(shown, nothing)


@given(arrays(np.int64, st.integers(1, 60), elements=st.integers(0, 30)))
@settings(max_examples=60)
def test_popularity_says_how_popular_an_item_is_and_nothing_else(popularity):
    content = {source: table(len(popularity), 3, seed) for seed, source in enumerate(("text", "image"))}
    shown = control_arm(BOTH, "popularity").show(content, 5, popularity)
    assert same(shown["text"], shown["image"]) and shown["text"].present.all()
    logarithm, bins = shown["text"].matrix[:, 0], shown["text"].matrix[:, 1:]
    assert (np.count_nonzero(bins, axis=1) == 1).all() and bins.shape == (len(popularity), POPULARITY_BINS)
    order = np.argsort(popularity, kind="stable")
    for column in (logarithm, bins.argmax(axis=1)):
        assert (np.diff(column[order]) >= 0).all()
        assert (np.diff(column[order])[np.diff(popularity[order]) == 0] == 0).all()
    assert logarithm.mean() == pytest.approx(0, abs=1e-5)
    assert logarithm.std() == pytest.approx(float(len(set(popularity)) > 1), abs=1e-5)


def test_popularity_has_ten_bins_of_the_same_size_without_ties():
    popularity = np.random.default_rng(0).permutation(100)
    shown = control_arm(BOTH, "popularity").show({"text": table(100, 3, 0), "image": table(100, 3, 1)}, 0, popularity)
    bins = shown["text"].matrix[:, 1:] > 0
    np.testing.assert_array_equal(bins.sum(axis=0), np.full(10, 10))
    np.testing.assert_array_equal(bins.argmax(axis=1), popularity // 10)


def test_popularity_takes_the_place_of_what_is_altered_alone():
    content = {"text": table(30, 3, 0), "image": table(30, 4, 1)}
    shown = control_arm(BOTH, "popularity", ["text"]).show(content, 0, np.arange(30))
    assert shown["image"] is content["image"] and shown["text"].matrix.shape == (30, 1 + POPULARITY_BINS)


def test_removed_shows_nothing():
    content = {"text": table(5, 2, 0), "image": table(5, 3, 1)}
    arm = control_arm(BOTH, "removed")
    assert (arm.name, arm.sources) == ("both_removed", ("text", "image"))
    assert arm.show(content, 7, NOBODY) == {}


def test_chance_has_a_say_in_shuffled_and_noise_alone():
    controls = [None, "shuffled", "noise", "constant", "popularity", "removed"]
    assert [control for control in controls if Arm("a", ("text",), control).is_random] == ["shuffled", "noise"]


def test_names_say_what_was_altered():
    assert control_arm(BOTH, "shuffled").name == "both_shuffled"
    assert control_arm(BOTH, "noise", ["text"]).name == "both_text_noise"
    assert control_arm(BOTH, "noise", ["text"], name="mine").name == "mine"
    assert Arm("both", ("text", "image"), "noise").altered == ("text", "image")


def test_mistakes_are_one_line():
    with pytest.raises(UserError, match=r"^arm 'x_shuffled': there is no content to put 'shuffled' in the place of$"):
        control_arm(Arm("x"), "shuffled")
    with pytest.raises(UserError, match=r"^arm 'both_audio_noise': cannot alter 'audio', which it does not show"):
        control_arm(BOTH, "noise", ["audio"])
    with pytest.raises(UserError, match=r"^arm 'both': there is no source 'image' \(known: text\)$"):
        BOTH.show({"text": table(3, 2, 0)}, 0, NOBODY)

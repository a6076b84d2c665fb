"""What every model must keep to: inherit `ModelContract`, name the model, and these tests run for it.

class TestEASE(ModelContract):
    model = EASE
    params = {"l2": 10.0}
    reference = 0.8123
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from recsys.content.arms import Arm
from recsys.content.features import Content
from recsys.errors import UserError
from recsys.evaluation.ranking import Ranking, rank
from recsys.models import registry
from recsys.recommender import Recommender, TrainingData
from recsys.testing import market

K = 10
SEED = 3
ALL_USERS = np.arange(market.N_USERS, dtype=np.int32)
MARKET = market.planted_market()
POPULARITY = np.asarray(MARKET.train.sum(axis=0))
ONE_SOURCE = {source: {source: features} for source, features in MARKET.content.items()}


class ModelContract:
    """Contract tests of one model.

    A fit is made once a class and shared by its tests, which leave it as it is.

    Attributes:
        model: the class.
        params: hyper-parameters that fit the small market (few epochs, few factors).
        reference: recorded nDCG@10 on the small market with `params` and seed 3.
        tolerance: around `reference`. The 1e-3 of a closed form is less than one held-out item moving by a rank
            (about 0.002 over 60 users): only rounding passes. A model trained by gradient differs between
            builds of torch from the first rounding on; give it two standard deviations of its seeds.
        personal: whether it learns from what users took who likes what; False for Random, TopPop, models of ratings.
    """

    model: ClassVar[type[Recommender]]
    params: ClassVar[dict[str, Any]] = {}
    reference: ClassVar[float]
    tolerance: ClassVar[float] = 1e-3
    personal: ClassVar[bool] = True
    _fits: ClassVar[dict[tuple[Any, ...], Recommender]] = {}

    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def _fitted_once_a_class(cls) -> Iterator[None]:
        cls._fits = {}
        yield
        cls._fits = {}

    def fitted(self, content: Content | None = None, seed: int = SEED) -> Recommender:
        """The model fitted to this content (None: all of the market's), from the class's store."""
        content = MARKET.content if content is None else content
        key = (seed, *((source, features.digest) for source, features in content.items()))
        if key not in self._fits:
            self._fits[key] = self.fit(content, seed)
        return self._fits[key]

    def fit(self, content: Content, seed: int = SEED) -> Recommender:
        """The model fitted anew."""
        model = self.model.from_params(**self.params)
        model.fit(TrainingData(MARKET.train, content, seed, ratings=MARKET.ratings))
        return model

    @property
    def takes_content(self) -> bool:
        return registry.find(self.model.__name__).takes_content

    def test_is_registered_under_its_name(self) -> None:
        assert registry.load(self.model.__name__) is self.model
        assert self.model.source

    def test_scores_all_items_of_any_block_of_users(self) -> None:
        model = self.fitted()
        scores = model.score(ALL_USERS)
        assert scores.shape == (market.N_USERS, market.N_ITEMS)
        assert scores.dtype == np.float32
        assert np.isfinite(scores).all()
        block = np.array([market.COLD_USER, 4, 17], dtype=np.int32)
        np.testing.assert_allclose(model.score(block), scores[block], rtol=1e-4, atol=1e-5)

    def test_scores_do_not_change_by_being_asked_or_overwritten(self) -> None:
        model = self.fitted()
        before = model.score(ALL_USERS).copy()
        model.score(ALL_USERS)[:] = -1  # the caller masks in place
        np.testing.assert_array_equal(model.score(ALL_USERS), before)

    def test_leaves_the_training_data_as_they_were(self) -> None:
        train = MARKET.train.copy()
        digests = {source: features.digest for source, features in MARKET.content.items()}
        self.fitted()
        np.testing.assert_array_equal(MARKET.train.toarray(), train.toarray())
        assert {source: features.digest for source, features in MARKET.content.items()} == digests

    def test_ranks_without_seen_items(self) -> None:
        items = ranked(self.fitted()).items
        seen = MARKET.train.toarray() > 0
        assert items.min() >= 0
        assert not seen[ALL_USERS[:, None], items].any()

    def test_same_seed_gives_the_same_result(self) -> None:
        again = self.fit(MARKET.content)
        np.testing.assert_array_equal(again.score(ALL_USERS), self.fitted().score(ALL_USERS))

    def test_another_seed_gives_another_result_unless_deterministic(self) -> None:
        other = self.fitted(seed=SEED + 1).score(ALL_USERS)
        assert np.array_equal(self.fitted().score(ALL_USERS), other) == self.model.deterministic

    def test_save_and_load_give_the_same_ranking(self, tmp_path: Path) -> None:
        model = self.fitted()
        model.save(tmp_path / "model.safetensors")
        loaded = self.model.load(tmp_path / "model.safetensors")
        assert loaded.config == model.config
        np.testing.assert_array_equal(ranked(loaded).items, ranked(model).items)
        np.testing.assert_array_equal(ranked(loaded).scores, ranked(model).scores)

    def test_runs_on_interactions_only(self) -> None:
        assert np.isfinite(self.fitted({}).score(ALL_USERS)).all()

    def test_runs_with_a_missing_modality(self) -> None:
        self._only_with_content()
        assert np.isfinite(self.fitted(market.with_missing(MARKET.content)).score(ALL_USERS)).all()

    def test_runs_with_three_sources_of_any_name(self) -> None:
        self._only_with_content()
        three = self.fitted(MARKET.content | {"what_is_heard": MARKET.audio})
        assert np.isfinite(three.score(ALL_USERS)).all()
        assert not np.array_equal(three.score(ALL_USERS), self.fitted().score(ALL_USERS))

    @pytest.mark.parametrize("source", ONE_SOURCE)
    def test_each_source_alone_makes_a_difference(self, source: str) -> None:
        self._only_with_content()
        scores = self.fitted(ONE_SOURCE[source]).score(ALL_USERS)
        assert np.isfinite(scores).all()
        assert not np.array_equal(scores, self.fitted({}).score(ALL_USERS))
        assert not np.array_equal(scores, self.fitted().score(ALL_USERS))

    @pytest.mark.parametrize("source", ["nobody's", "constant"])
    def test_a_source_that_tells_no_items_apart_is_no_content(self, source: str) -> None:
        self._only_with_content()
        text = MARKET.content["text"]
        constant = Arm("constant", ("text",), "constant", ("text",)).show({"text": text}, 0, POPULARITY)
        model = self.fitted(constant if source == "constant" else {"text": market.nobody_s(text)})
        np.testing.assert_array_equal(model.score(ALL_USERS), self.fitted({}).score(ALL_USERS))
        assert not model.content_used
        assert self.fitted().content_used

    def test_ratings_are_needed_exactly_by_models_of_ratings(self) -> None:
        model, data = self.model.from_params(**self.params), TrainingData(MARKET.train, MARKET.content, SEED)
        if registry.find(self.model.__name__).needs_ratings:
            with pytest.raises(UserError, match=f"^{self.model.__name__} needs ratings, .*leave the model out$"):
                model.fit(data)
        else:
            model.fit(data)
            np.testing.assert_array_equal(model.score(ALL_USERS), self.fitted().score(ALL_USERS))

    def test_content_matters_exactly_to_multimodal_models(self) -> None:
        shuffled = Arm("shuffled", tuple(MARKET.content), "shuffled", tuple(MARKET.content)).show(
            MARKET.content, 0, POPULARITY
        )
        same = np.array_equal(self.fitted().score(ALL_USERS), self.fitted(shuffled).score(ALL_USERS))
        assert same != self.takes_content

    def test_learns_the_planted_pattern(self) -> None:
        if not self.personal:
            pytest.skip("not a personal model")
        assert ndcg(self.fitted()) > 1.5 * popularity_ndcg()

    def test_cold_items_reach_those_who_like_their_block(self) -> None:
        if not self.model.scores_cold_items:
            pytest.skip("items without interactions get no score that means something")
        warm = ALL_USERS[ALL_USERS != market.COLD_USER]
        best = self.fitted().score(warm)[:, market.COLD_ITEMS].argmax(axis=1)
        hits = market.BLOCK_OF_ITEM[market.COLD_ITEMS[best]] == market.BLOCK_OF_USER[warm]
        assert hits.mean() > 0.5  # one of four by chance

    def test_stays_near_its_reference_value(self) -> None:
        assert ndcg(self.fitted()) == pytest.approx(self.reference, abs=self.tolerance)

    def test_an_unknown_hyper_parameter_is_one_line(self) -> None:
        with pytest.raises(UserError, match=f"{self.model.__name__}: hyper-parameters: no_such_thing") as error:
            self.model.from_params(no_such_thing=1)
        assert "\n" not in str(error.value)

    def test_presets_are_settings_of_this_model(self) -> None:
        for name, values in self.model.presets.items():
            config = self.model.from_params(**values).config
            assert values.items() <= config.model_dump().items(), name
            # What follows from the data where a study leaves it open is part of what was published.
            assert "batch_size" in values or "batch_size" not in self.model.Config.model_fields, name

    def test_defaults_lie_in_their_search_spaces(self) -> None:
        for name, field in self.model.Config.model_fields.items():
            extra: Any = field.json_schema_extra or {}
            space = extra.get("search")
            if space and "choices" in space:
                assert field.default in space["choices"], name
            elif space:
                assert space["low"] <= field.default <= space["high"], name

    def _only_with_content(self) -> None:
        if not self.takes_content:
            pytest.skip("takes no content")


def ranked(model: Recommender) -> Ranking:
    """Top 10 lists of all users."""
    return rank(model, ALL_USERS, MARKET.train, K)


def ndcg(model: Recommender) -> float:
    """Mean nDCG@10 on the held-out items, computed here so that the contract does not lean on the metrics."""
    return _ndcg(ranked(model).items)


def popularity_ndcg() -> float:
    """That of the most popular items."""
    scores = np.where(MARKET.train.toarray() > 0, -np.inf, MARKET.train.sum(axis=0)[None, :])
    return _ndcg(np.argsort(-scores, axis=1, kind="stable")[:, :K])


def _ndcg(items: np.ndarray) -> float:
    truth = MARKET.held_out.toarray() > 0
    known = np.flatnonzero(truth.any(axis=1))
    discount = 1 / np.log2(np.arange(2, K + 2))
    gain = (truth[known[:, None], items[known]] * discount).sum(axis=1)
    ideal = np.array([discount[: min(K, n)].sum() for n in truth[known].sum(axis=1)])
    return float((gain / ideal).mean())

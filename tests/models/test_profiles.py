import numpy as np
import pytest
import torch

from recsys.models.neural.uneurec import UNeuRecConfig, UNeuRecNetwork
from recsys.recommender import TrainingData
from recsys.testing.contract import MARKET
from recsys.testing.market import COLD_USER, N_ITEMS


def network(**params: float) -> UNeuRecNetwork:
    return UNeuRecNetwork(TrainingData(MARKET.train, seed=5), UNeuRecConfig(**params))


def test_an_epoch_holds_each_profile_once() -> None:
    rows = []
    for items, starts in network(batch_size=25).batches(np.random.default_rng(0)):
        rows += [tuple(part.tolist()) for part in items.tensor_split(starts[1:-1])]
    users = [user for user in range(len(MARKET.train.indptr) - 1) if user != COLD_USER]
    assert sorted(rows) == sorted(tuple(MARKET.train.indices[slice(*MARKET.train.indptr[[u, u + 1]])]) for u in users)


def test_the_first_layer_is_the_product_with_the_rows() -> None:
    model, rows = network(dropout=0.3).eval(), MARKET.train[[1, COLD_USER, 8]]
    entries, weights = torch.rand(rows.nnz), torch.rand(N_ITEMS, 4)
    expected = rows.toarray()
    expected[expected > 0] = entries
    found = model.first_layer(model.profiles(rows), entries, weights)
    np.testing.assert_allclose(found, expected @ weights.numpy(), rtol=1e-5)


def test_dropout_hides_a_share_of_the_profiles_and_keeps_the_mean() -> None:
    model = network(dropout=0.3)
    profiles, rows = model.profiles(MARKET.train), torch.from_numpy(MARKET.train.toarray())
    shown = [model.first_layer(profiles, torch.ones(MARKET.train.nnz), torch.eye(N_ITEMS)) for _ in range(100)]
    assert torch.stack(shown).unique().tolist() == pytest.approx([0, 1 / 0.7])
    torch.testing.assert_close(torch.stack(shown).mean(dim=0).sum(), rows.sum(), rtol=0.02, atol=0)

from itertools import combinations
from typing import Any

import numpy as np
import pytest
import torch

from recsys.content.features import Content
from recsys.models.multimodal import _diffusion
from recsys.models.multimodal._diffusion import Diffusion
from recsys.models.multimodal.diffmm import DiffMM, DiffMMConfig, DiffMMNetwork
from recsys.recommender import TrainingData
from recsys.testing.contract import MARKET
from recsys.testing.gradient_contract import GradientContract
from recsys.testing.market import COLD_USER, N_ITEMS, N_USERS, with_missing
from recsys.training.randomness import seeded_region
from tests.models.dense import (
    BATCH,
    CONSTANT,
    ONE,
    THREE,
    R,
    assert_cold_items,
    assert_loss,
    length_one,
    parameters,
    scaled,
)


class TestDiffMM(GradientContract):
    model = DiffMM
    params = {"n_factors": 16, "n_hidden": 20, "learning_rate": 0.01, "batch_size": 256, "max_epochs": 30}
    reference = 0.518
    tolerance = 0.05


def network(content: Content, **params: Any) -> DiffMMNetwork:
    config = DiffMMConfig(n_factors=6, n_hidden=5, **params)
    with seeded_region(5):
        model = DiffMMNetwork(TrainingData(MARKET.train, content, 5), config)
        model.start_epoch(np.random.default_rng(5))
    return model


def self_looped(profiles: np.ndarray) -> np.ndarray:
    """D^-1/2 (A + I) D^-1/2."""
    A = np.eye(N_USERS + N_ITEMS)
    A[:N_USERS, N_USERS:] = profiles
    A[N_USERS:, :N_USERS] = profiles.T
    degrees = A.sum(axis=1)
    return A / np.sqrt(np.outer(degrees, degrees))


S = self_looped(R)


def mapped(model: DiffMMNetwork, content: Content) -> list[np.ndarray]:
    """Each source's features through its map."""
    P, tables = parameters(model), []
    for m, features in enumerate(content.values()):
        table = scaled(features.matrix, features.present) @ P[f"sources.{m}.linear.weight"].T
        if model.config.mapping == "leaky":
            table = np.where(table > 0, table, 0.2 * table)
        else:
            table = table + P[f"sources.{m}.linear.bias"]
        tables.append(table * features.present[:, None])
    return tables


def generated(model: DiffMMNetwork) -> list[np.ndarray]:
    return [graph(torch.eye(N_USERS + N_ITEMS)).numpy() for graph in model.generated]


def by_hand(model: DiffMMNetwork, content: Content) -> np.ndarray:
    """Final vectors of all nodes, one source after the other."""
    P = parameters(model)
    weights = np.exp(P["weights"]) / np.exp(P["weights"]).sum() if len(content) > 1 else np.ones(1)
    own = np.concatenate([P["users"], P["items"]])
    mixture = np.zeros_like(own)
    for weight, table, graph in zip(weights, mapped(model, content), generated(model), strict=True):
        first = S @ np.concatenate([P["users"], length_one(table)])
        second = S @ np.concatenate([first[:N_USERS], P["items"]])
        mixture = mixture + weight * (first + second + 0.2 * graph @ own)
    return mixture + S @ mixture + 0.5 * length_one(mixture)


@pytest.mark.parametrize("mapping", ["leaky", "linear"])
@pytest.mark.parametrize("content", [ONE, with_missing(MARKET.content), THREE], ids=["one", "missing", "three"])
def test_factors_by_hand(content: Content, mapping: str) -> None:
    model = network(content, mapping=mapping)
    if model.weights is not None:
        model.weights.data = torch.arange(len(content)) / 3
    found = torch.cat(model.factors()).detach().numpy()
    np.testing.assert_allclose(found, by_hand(model, content), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("contrast", ["sources", "final"])
@pytest.mark.parametrize("content", [ONE, THREE], ids=["one", "three"])
def test_loss_by_hand(content: Content, contrast: str) -> None:
    model = network(content, l2=0.3, contrast=contrast, contrast_weight=0.7, temperature=0.5, drop_rate=0.5)
    P, final = parameters(model), by_hand(model, content)
    u, p, n = (np.array(part) for part in BATCH)
    margins = (final[u] * (final[N_USERS + p] - final[N_USERS + n])).sum(axis=1)
    loss = np.log1p(np.exp(-margins)).mean() + 0.3 * (np.square(P["users"]).sum() + np.square(P["items"]).sum())
    views = []
    for table, graph in zip(mapped(model, content), generated(model), strict=True):
        start = graph @ np.concatenate([P["users"], length_one(table)])
        views.append(start + S @ start)
    among_sources = contrast == "sources" and len(content) > 1
    for one, other in combinations(views, 2) if among_sources else [(final, view) for view in views]:
        for nodes in (u, N_USERS + p):
            to = np.exp(length_one(one[nodes]) @ length_one(other[nodes]).T / 0.5)
            loss -= 0.7 * np.log(to.diagonal() / to.sum(axis=1)).mean()
    assert_loss(model, loss, rtol=1e-4)


def test_a_generated_graph_ties_users_to_the_best_of_their_restored_profile_and_cold_ones_to_nothing() -> None:
    graph = network(ONE, n_generated=2).diffusions[0].graph(2).toarray()
    assert set(graph.sum(axis=1)) == {0, 2}
    assert graph[COLD_USER].sum() == 0
    np.testing.assert_allclose(generated(network(ONE))[0], self_looped(network(ONE).diffusions[0].graph(1).toarray()))


def test_thinning_leaves_out_entries_and_enlarges_the_others() -> None:
    whole, thinned = generated(network(ONE))[0], generated(network(ONE, drop_rate=0.5))[0]
    kept = thinned > 0
    np.testing.assert_allclose(thinned[kept], 2 * whole[kept])
    assert 0 < kept.sum() < (whole > 0).sum()


def test_without_content_it_is_lightgcn_with_self_loops_and_a_residual() -> None:
    model = network({}, n_layers=2)
    own = torch.cat([model.users, model.items]).detach().numpy()
    expected = S @ own + S @ S @ own + S @ S @ S @ own + 0.5 * length_one(S @ own)
    np.testing.assert_allclose(torch.cat(model.factors()).detach().numpy(), expected, rtol=1e-4, atol=1e-6)


def test_content_that_tells_no_items_apart_is_not_used() -> None:
    assert not network(CONSTANT).content_used


def test_items_without_interactions_are_their_content() -> None:
    content = with_missing(MARKET.content)
    _, items = network(content).factors()
    assert_cold_items(items, content)


def diffusion(guidance_weight: float = 0.3) -> Diffusion:
    with seeded_region(5):
        return Diffusion(MARKET.train, 7, guidance_weight, 0.01)


def schedule() -> tuple[np.ndarray, np.ndarray]:
    """Betas of five steps, and the products of one minus them."""
    left = 1 - 0.1 * np.linspace(1e-4, 0.02, 5)
    betas = np.array([1e-4, *(1 - left[t] / left[t - 1] for t in range(1, 5))])
    return betas, np.array([np.prod(1 - betas[: t + 1]) for t in range(5)])


def denoised(model: Diffusion, profiles: np.ndarray, step: int) -> np.ndarray:
    P = parameters(model.denoiser)
    angles = step * np.exp(-np.log(10_000) * np.arange(5) / 5)
    time = P["time.weight"] @ np.concatenate([np.cos(angles), np.sin(angles)]) + P["time.bias"]
    inputs = np.concatenate([profiles, np.tile(time, (len(profiles), 1))], axis=1)
    hidden = np.tanh(inputs @ P["first.weight"].T + P["first.bias"])
    return hidden @ P["second.weight"].T + P["second.bias"]


def test_restored_profiles_go_back_by_the_means_of_the_posteriors() -> None:
    model, (betas, signal) = diffusion(), schedule()
    for parameter in model.denoiser.parameters():
        parameter.data *= 3  # so that the steps tell
    profiles = R[model.users]
    for t in range(4, -1, -1):
        before = signal[t - 1] if t else 1.0
        clean = betas[t] * np.sqrt(before) / (1 - signal[t])
        noisy = (1 - before) * np.sqrt(1 - betas[t]) / (1 - signal[t])
        profiles = clean * denoised(model, profiles, t) + noisy * profiles
    best = np.argsort(np.where(R.any(axis=0), -profiles, np.inf), axis=1)[:, :3]
    expected = np.zeros((N_USERS, N_ITEMS))
    np.put_along_axis(expected[: len(model.users)], best, 1, axis=1)  # only the last user has no interactions
    np.testing.assert_array_equal(model.graph(3).toarray(), expected)


def test_denoising_loss_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_diffusion, "DROPOUT", 0.0)
    model, (_, signal) = diffusion(guidance_weight=0.3), schedule()
    rng = np.random.default_rng(1)
    noise, content, items = (rng.standard_normal(shape) for shape in ((3, N_ITEMS), (N_ITEMS, 4), (N_ITEMS, 4)))
    profiles, steps, loss = R[:3], [0, 1, 4], 0.0
    ratio = signal / (1 - signal)
    for profile, t, epsilon in zip(profiles, steps, noise, strict=True):
        noisy = np.sqrt(signal[t]) * profile + np.sqrt(1 - signal[t]) * epsilon
        restored = denoised(model, noisy[None], t)[0]
        weight = ratio[t - 1] - ratio[t] if t else 1.0
        loss += weight * np.square(profile - restored).mean() / 3
        loss += 0.3 * np.square(restored @ content - profile @ items).mean() / 3
    given = (torch.from_numpy(part).float() for part in (profiles, noise, content, items))
    shown, *others = given
    assert model.loss(shown, torch.tensor(steps), *others).item() == pytest.approx(loss, rel=1e-4)


def test_denoisers_learn_in_their_own_phase_before_each_epoch() -> None:
    model = network(MARKET.content)
    weights = [diffusion.denoiser.first.weight.clone() for diffusion in model.diffusions]
    model.start_epoch(np.random.default_rng(6))
    for diffused, before in zip(model.diffusions, weights, strict=True):
        assert not torch.equal(diffused.denoiser.first.weight, before)
    assert not any("denoiser" in name for name, _ in model.named_parameters())


@pytest.mark.parametrize("mapping", ["leaky", "linear"])
def test_matrices_start_as_xavier_and_linear_maps_as_torchs(mapping: str) -> None:
    linear = network(ONE, mapping=mapping).sources[0].linear
    n_outputs, n_inputs = linear.weight.shape
    bound = (6 / (n_inputs + n_outputs)) ** 0.5 if mapping == "leaky" else n_inputs**-0.5
    assert 0.9 * bound < linear.weight.abs().max() <= bound
    assert (linear.bias is None) == (mapping == "leaky")

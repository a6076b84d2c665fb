import math

import numpy as np
import pytest
import torch

from recsys.training import losses
from recsys.training.losses import (
    bpr_loss,
    embedding_norm_loss,
    info_nce_loss,
    log_sum_exp,
    moments,
    orthant_noise,
    squared_l2_loss,
    two_view_loss,
    unit,
)


def test_bpr_by_hand() -> None:
    loss = bpr_loss(torch.tensor([2.0, 0.0]), torch.tensor([1.0, 0.0]))
    assert loss.item() == pytest.approx((math.log(1 + math.exp(-1)) + math.log(2)) / 2, rel=1e-6)


def test_bpr_stays_finite_where_a_sigmoid_would_be_zero() -> None:
    assert bpr_loss(torch.tensor([-500.0]), torch.tensor([500.0])).item() == pytest.approx(1000)


def test_embedding_norm_is_not_squared_and_divided_by_the_last_block() -> None:
    blocks = torch.tensor([[3.0, 4.0]]), torch.tensor([[6.0, 0.0], [0.0, 8.0]])
    assert embedding_norm_loss(*blocks).item() == pytest.approx((5 + 10) / 2)


def test_embedding_norm_of_zeros_has_a_finite_gradient() -> None:
    zeros = torch.zeros(2, 3, requires_grad=True)
    embedding_norm_loss(zeros).backward()
    assert torch.equal(zeros.grad, torch.zeros(2, 3))


def test_squared_l2_is_halved() -> None:
    blocks = torch.tensor([[3.0, 4.0]]), torch.tensor([[6.0, 0.0], [0.0, 8.0]])
    assert squared_l2_loss(*blocks).item() == pytest.approx((25 + 100) / 4)


def test_info_nce_by_hand() -> None:
    one, other = torch.tensor([[3.0, 0.0], [0.0, 2.0]]), torch.tensor([[1.0, 0.0], [1.0, 1.0]])
    half = math.sqrt(0.5)  # cosines: 1 and half to the first row, 0 and half to the second
    first = math.log(math.exp(1 / 0.5) + math.exp(half / 0.5)) - 1 / 0.5
    second = math.log(math.exp(0) + math.exp(half / 0.5)) - half / 0.5
    assert info_nce_loss(one, other, 0.5).item() == pytest.approx((first + second) / 2, rel=1e-6)


def test_unit_rows_and_rows_of_zeros_without_a_gradient() -> None:
    x = torch.tensor([[3.0, 4.0], [0.0, 0.0], [1e-8, 0.0]], requires_grad=True)
    rows = unit(x)
    torch.testing.assert_close(rows, torch.tensor([[0.6, 0.8], [0.0, 0.0], [0.0, 0.0]]))
    rows[:, 0].sum().backward()
    torch.testing.assert_close(x.grad, torch.tensor([[(1 - 0.36) / 5, -0.48 / 5], [0.0, 0.0], [0.0, 0.0]]))


def test_info_nce_of_a_cold_row_has_a_finite_gradient() -> None:
    views = torch.randn(4, 3), torch.randn(4, 3)
    views[0][1] = 0
    views[0].requires_grad_()
    info_nce_loss(*views, 0.2).backward()
    assert views[0].grad.abs().max() < 1e2


def test_moments_are_those_of_all_entries() -> None:
    x = torch.randn(5, 3, dtype=torch.float64) + 2
    torch.testing.assert_close(moments(x), torch.stack([x.var(), x.mean()]))


def test_noise_has_length_one_and_the_signs_of_its_row() -> None:
    x = torch.tensor([[1.0, -2.0, 0.5], [0.0, 0.0, 0.0]])
    noise = orthant_noise(x, torch.Generator().manual_seed(1))
    assert noise[0].norm().item() == pytest.approx(1)
    assert (noise[0] * x[0] > 0).all()
    assert not noise[1].any()


def test_info_nce_against_candidates_other_than_the_batch() -> None:
    one, candidates = torch.randn(4, 3), torch.randn(9, 3)
    rows = torch.tensor([2, 7, 0, 2])
    a, c = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (one.numpy(), candidates.numpy()))
    to = np.exp(a @ c.T / 0.3)
    expected = -np.log(to[np.arange(4), rows] / to.sum(axis=1)).mean()
    found = info_nce_loss(one, candidates[rows], 0.3, against=candidates)
    assert found.item() == pytest.approx(expected, rel=1e-5)
    assert info_nce_loss(one, one, 0.3, against=one).item() == pytest.approx(info_nce_loss(one, one, 0.3).item())


def test_two_views_by_hand() -> None:
    one, other = torch.randn(5, 3), torch.randn(5, 3)
    a, b = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (one.numpy(), other.numpy()))
    within, between = np.exp(a @ a.T / 0.4), np.exp(a @ b.T / 0.4)
    rest = within.sum(axis=1) + between.sum(axis=1) - np.exp(1 / 0.4)
    found = two_view_loss(one, other, 0.4)
    assert found.item() == pytest.approx(-np.log(np.diag(between) / rest).mean(), rel=1e-5)


def test_two_views_of_rows_of_zeros_have_finite_gradients() -> None:
    one, other = torch.zeros(3, 2, requires_grad=True), torch.randn(3, 2, requires_grad=True)
    two_view_loss(one, other, 0.1).backward()
    assert not one.grad.any()
    assert other.grad.isfinite().all()


@pytest.mark.parametrize("block", [1, 23, 2**20])
def test_log_sum_exp_and_its_gradients_block_by_block(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.setattr(losses, "_BLOCK", block)
    rows, candidates = (torch.randn(n, 3, requires_grad=True) for n in (8, 5))
    shares, counts = torch.rand(8), torch.tensor([1, 3, 1, 2, 1])
    without = torch.tensor([0, 1, 2, 3, 4, 0, 1, 2])
    found = log_sum_exp(rows, candidates, shares, counts, without)
    repeated = torch.arange(5).repeat_interleave(counts)
    products = (rows @ candidates[repeated].T).masked_fill(repeated == without[:, None], -torch.inf)
    expected = shares @ products.logsumexp(dim=1)
    torch.testing.assert_close(found, expected)
    pairs = zip(*(torch.autograd.grad(3 * x, [rows, candidates]) for x in (found, expected)), strict=True)
    for gradient, other in pairs:
        torch.testing.assert_close(gradient, other)


def test_log_sum_exp_of_large_products_is_finite() -> None:
    found = log_sum_exp(torch.tensor([[300.0], [-300.0]]), torch.tensor([[1.0], [-1.0]]))
    assert found.item() == pytest.approx(300)

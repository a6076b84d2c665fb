import math

import pytest
import torch

from recsys.training.losses import (
    bpr_loss,
    embedding_norm_loss,
    info_nce_loss,
    moments,
    mutual_info_nce_loss,
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


def test_two_view_loss_by_hand() -> None:
    one, other = torch.tensor([[3.0, 0.0], [0.0, 2.0]]), torch.tensor([[1.0, 0.0], [1.0, 1.0]])
    half = math.sqrt(0.5)  # the rows of `one` have the cosine 0 with each other
    first = math.log(math.exp(1 / 0.5) + math.exp(half / 0.5) + math.exp(0)) - 1 / 0.5
    second = math.log(math.exp(0) + math.exp(half / 0.5) + math.exp(0)) - half / 0.5
    assert two_view_loss(one, other, 0.5).item() == pytest.approx((first + second) / 2, rel=1e-6)


def test_two_view_loss_has_the_gradients_of_its_formula() -> None:
    one, other = (torch.randn(5, 3, dtype=torch.float64, requires_grad=True) for _ in range(2))
    a, b = (x / x.norm(dim=1, keepdim=True) for x in (one, other))
    across, within = (a @ b.T / 0.4).exp(), (a @ a.T / 0.4).exp()
    plain = -(across.diagonal() / (across.sum(dim=1) + within.sum(dim=1) - within.diagonal())).log().mean()
    for ours, expected in zip(
        torch.autograd.grad(two_view_loss(one, other, 0.4), [one, other]),
        torch.autograd.grad(plain, [one, other]),
        strict=True,
    ):
        torch.testing.assert_close(ours, expected)


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


def test_mutual_info_nce_is_that_of_both_directions_with_its_gradient() -> None:
    views = torch.randn(5, 3, requires_grad=True), torch.randn(5, 3, requires_grad=True)
    loss = mutual_info_nce_loss(*views, 0.04)
    expected = info_nce_loss(*views, 0.04) + info_nce_loss(*reversed(views), 0.04)
    torch.testing.assert_close(loss, expected)
    for found, right in zip(*(torch.autograd.grad(2 * x, views) for x in (loss, expected)), strict=True):
        torch.testing.assert_close(found, right, rtol=1e-4, atol=1e-5)


def test_mutual_info_nce_of_no_rows_is_zero() -> None:
    nothing = torch.zeros(0, 3, requires_grad=True)
    mutual_info_nce_loss(nothing, nothing, 0.2).backward()
    assert mutual_info_nce_loss(nothing, nothing, 0.2).item() == 0


def test_moments_are_those_of_all_entries() -> None:
    x = torch.randn(5, 3, dtype=torch.float64) + 2
    torch.testing.assert_close(moments(x), torch.stack([x.var(), x.mean()]))


def test_noise_has_length_one_and_the_signs_of_its_row() -> None:
    x = torch.tensor([[1.0, -2.0, 0.5], [0.0, 0.0, 0.0]])
    noise = orthant_noise(x, torch.Generator().manual_seed(1))
    assert noise[0].norm().item() == pytest.approx(1)
    assert (noise[0] * x[0] > 0).all()
    assert not noise[1].any()

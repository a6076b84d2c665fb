import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from recsys.training.losses import (
    bpr_loss,
    embedding_norm_loss,
    factor_bpr_loss,
    moments,
    orthant_noise,
    square_sum,
    squared_l2_loss,
    unit,
)


def test_bpr_by_hand() -> None:
    loss = bpr_loss(torch.tensor([2.0, 0.0]), torch.tensor([1.0, 0.0]))
    assert loss.item() == pytest.approx((math.log(1 + math.exp(-1)) + math.log(2)) / 2, rel=1e-6)


def test_bpr_stays_finite_where_a_sigmoid_would_be_zero() -> None:
    assert bpr_loss(torch.tensor([-500.0]), torch.tensor([500.0])).item() == pytest.approx(1000)


def test_bpr_of_vectors_is_that_of_their_inner_products() -> None:
    u, p, n = torch.tensor([[1.0, 2.0], [0.0, 1.0]]), torch.tensor([[1.0, 0.5], [3.0, 0.0]]), torch.zeros(2, 2)
    torch.testing.assert_close(factor_bpr_loss(u, p, n), bpr_loss(torch.tensor([2.0, 0.0]), torch.zeros(2)))


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


def test_unit_rows_and_rows_of_zeros_without_a_gradient() -> None:
    x = torch.tensor([[3.0, 4.0], [0.0, 0.0], [1e-8, 0.0]], requires_grad=True)
    rows = unit(x)
    torch.testing.assert_close(rows, torch.tensor([[0.6, 0.8], [0.0, 0.0], [0.0, 0.0]]))
    rows[:, 0].sum().backward()
    torch.testing.assert_close(x.grad, torch.tensor([[(1 - 0.36) / 5, -0.48 / 5], [0.0, 0.0], [0.0, 0.0]]))


def test_moments_are_those_of_all_entries() -> None:
    x = torch.randn(5, 3, dtype=torch.float64) + 2
    torch.testing.assert_close(moments(x), torch.stack([x.var(), x.mean()]))


def test_noise_has_length_one_and_the_signs_of_its_row() -> None:
    x = torch.tensor([[1.0, -2.0, 0.5], [0.0, 0.0, 0.0]])
    noise = orthant_noise(x, torch.Generator().manual_seed(1))
    assert noise[0].norm().item() == pytest.approx(1)
    assert (noise[0] * x[0] > 0).all()
    assert not noise[1].any()


@pytest.mark.parametrize("function", [unit, square_sum])
def test_gradients_written_by_hand_are_those_of_the_functions(function: Callable[[Tensor], Tensor]) -> None:
    x = torch.randn(4, 2, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0), requires_grad=True)
    assert torch.autograd.gradcheck(function, x)

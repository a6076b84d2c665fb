import math

import pytest
import torch

from recsys.training import contrast
from recsys.training.contrast import info_nce_loss, log_sum_exp, mutual_info_nce_loss, two_view_loss


def test_info_nce_by_hand() -> None:
    one, other = torch.tensor([[3.0, 0.0], [0.0, 2.0]]), torch.tensor([[1.0, 0.0], [1.0, 1.0]])
    half = math.sqrt(0.5)  # cosines: 1 and half to the first row, 0 and half to the second
    first = math.log(math.exp(1 / 0.5) + math.exp(half / 0.5)) - 1 / 0.5
    second = math.log(math.exp(0) + math.exp(half / 0.5)) - half / 0.5
    assert info_nce_loss(one, other, 0.5).item() == pytest.approx((first + second) / 2, rel=1e-6)


def test_info_nce_has_the_gradients_of_its_formula(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contrast, "_BLOCK", 12)
    one, other = (torch.randn(5, 3, dtype=torch.float64, requires_grad=True) for _ in range(2))
    a, b = (x / x.norm(dim=1, keepdim=True) for x in (one, other))
    plain = -(a @ b.T / 0.4).log_softmax(dim=1).diagonal().mean()
    for ours, expected in zip(
        torch.autograd.grad(info_nce_loss(one, other, 0.4), [one, other]),
        torch.autograd.grad(plain, [one, other]),
        strict=True,
    ):
        torch.testing.assert_close(ours, expected)


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


def test_info_nce_of_a_cold_row_has_a_finite_gradient() -> None:
    views = torch.randn(4, 3), torch.randn(4, 3)
    views[0][1] = 0
    views[0].requires_grad_()
    info_nce_loss(*views, 0.2).backward()
    assert views[0].grad.abs().max() < 1e2


@pytest.mark.parametrize("block", [1, 12, 2**20])
def test_mutual_info_nce_is_that_of_both_directions_with_its_gradient(
    monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    monkeypatch.setattr(contrast, "_BLOCK", block)
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


def test_two_views_of_rows_of_zeros_have_finite_gradients() -> None:
    one, other = torch.zeros(3, 2, requires_grad=True), torch.randn(3, 2, requires_grad=True)
    two_view_loss(one, other, 0.1).backward()
    assert not one.grad.any()
    assert other.grad.isfinite().all()


@pytest.mark.parametrize("block", [1, 23, 2**20])
def test_log_sum_exp_and_its_gradients_block_by_block(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.setattr(contrast, "_BLOCK", block)
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

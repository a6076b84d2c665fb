"""Products by oneDNN: equal to torch's own, in all layouts and in gradients, and gone when training is over."""

import pytest
import torch
from torch import Tensor
from torch.autograd import grad

from recsys.training.products import FastProducts

SHAPES = [(256, 64, 128), (1000, 300, 17), (64, 2048, 64), (20_000, 4, 64), (3, 3, 3)]


def laid_out(layout: str, n_rows: int, n_columns: int, rng: torch.Generator) -> Tensor:
    if layout == "rows":
        return torch.randn(n_rows, n_columns, generator=rng)
    if layout == "columns":
        return torch.randn(n_columns, n_rows, generator=rng).T
    return torch.randn(n_rows, 2 * n_columns, generator=rng)[:, n_columns:]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("left", ["rows", "columns", "gaps"])
@pytest.mark.parametrize("right", ["rows", "columns", "gaps"])
def test_products_are_those_of_torch(
    shape: tuple[int, int, int], left: str, right: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recsys.training.products._REPEATED", 0)
    rng = torch.Generator().manual_seed(0)
    a, b, bias = laid_out(left, *shape[:2], rng), laid_out(right, *shape[1:], rng), torch.randn(shape[2])
    expected, atol = a.double() @ b.double(), 1e-5 * shape[1]
    with FastProducts():
        torch.testing.assert_close((a @ b).double(), expected, atol=atol, rtol=1e-4)
        torch.testing.assert_close(torch.addmm(bias, a, b).double(), expected + bias, atol=atol, rtol=1e-4)
        half = torch.addmm(bias, a, b, alpha=0.5)
    torch.testing.assert_close(half.double(), expected / 2 + bias, atol=atol, rtol=1e-4)


def test_gradients_are_those_of_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recsys.training.products._REPEATED", 0)
    layer, x = torch.nn.Linear(256, 64), torch.randn(512, 256, requires_grad=True)
    wanted = [x, layer.weight, layer.bias]
    expected = grad(layer(x).square().sum(), wanted)
    with FastProducts():
        found = grad(layer(x).square().sum(), wanted)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, atol=1e-3, rtol=1e-4)


def test_other_types_are_left_alone() -> None:
    a = torch.randn(256, 256, dtype=torch.float64)
    with FastProducts():
        product = a @ a
    assert torch.equal(product, a @ a)


def test_torch_has_its_own_products_back_after_an_error() -> None:
    a = torch.randn(512, 512)
    before = a @ a
    with pytest.raises(ZeroDivisionError), FastProducts():
        raise ZeroDivisionError
    assert torch.equal(a @ a, before)

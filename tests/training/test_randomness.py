import numpy as np
import pytest
import torch

from recsys.training.randomness import dropout, generator, seeded_region, step_generator


def test_steps_draw_from_the_seed_but_not_what_the_starting_values_are_drawn_from() -> None:
    cpu = torch.device("cpu")
    starts, steps, again = generator(7), step_generator(7, cpu), step_generator(7, cpu)
    drawn = torch.rand(5, generator=steps)
    assert torch.equal(drawn, torch.rand(5, generator=again))
    assert not torch.equal(drawn, torch.rand(5, generator=starts))


def test_dropout_within_a_region_follows_its_seed_and_the_world_outside_does_not_notice() -> None:
    def dropped(seed: int) -> torch.Tensor:
        with seeded_region(seed):
            return dropout(torch.ones(50), 0.5)

    torch.manual_seed(1)
    before, numpy_before = torch.get_rng_state(), np.random.get_state()[1].copy()
    first = dropped(3)
    assert torch.equal(torch.get_rng_state(), before)
    np.testing.assert_array_equal(np.random.get_state()[1], numpy_before)
    torch.manual_seed(2)
    assert torch.equal(dropped(3), first)
    assert not torch.equal(dropped(4), first)


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.999])
def test_dropout_hides_its_share_and_keeps_the_sum(rate: float) -> None:
    with seeded_region(0):
        x = torch.full((1001, 999), 3.0, requires_grad=True)
        dropped = dropout(x, rate)
    assert (dropped == 0).float().mean().item() == pytest.approx(rate, abs=0.002)
    assert dropped.mean().item() == pytest.approx(3, rel=0.05 if rate > 0.9 else 0.005)
    (gradient,) = torch.autograd.grad(dropped.sum(), x)
    torch.testing.assert_close(gradient * 3, dropped)
    assert torch.equal(dropout(x, rate, training=False), x)
    assert torch.equal(dropout(x, 0.0), x)

import torch

from recsys.training.embeddings import generator, step_generator


def test_steps_draw_from_the_seed_but_not_what_the_starting_values_are_drawn_from() -> None:
    cpu = torch.device("cpu")
    starts, steps, again = generator(7), step_generator(7, cpu), step_generator(7, cpu)
    drawn = torch.rand(5, generator=steps)
    assert torch.equal(drawn, torch.rand(5, generator=again))
    assert not torch.equal(drawn, torch.rand(5, generator=starts))

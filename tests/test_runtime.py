import torch

from recsys.runtime import device


def test_the_device_is_a_gpu_exactly_where_there_is_one() -> None:
    assert device().type == ("cuda" if torch.cuda.is_available() else "cpu")

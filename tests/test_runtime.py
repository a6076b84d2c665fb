import pytest
import torch
from threadpoolctl import threadpool_info

from recsys.runtime import device, threads


def test_threads_are_limited_within_the_block_and_as_before_after_it() -> None:
    def counts() -> tuple[int, list[int]]:
        return torch.get_num_threads(), [pool["num_threads"] for pool in threadpool_info()]

    before = counts()
    with pytest.raises(ValueError, match="any"), threads(3):
        assert counts()[0] == 3
        raise ValueError("any")
    assert counts() == before
    with threads(1):
        assert set(counts()[1]) <= {1}


def test_the_device_is_a_gpu_exactly_where_there_is_one() -> None:
    assert device().type == ("cuda" if torch.cuda.is_available() else "cpu")

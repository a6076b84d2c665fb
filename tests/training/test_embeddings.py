import numpy as np
import torch
from scipy import sparse

from recsys.training.embeddings import initial_embeddings


def test_rows_without_an_interaction_start_at_zero_and_the_others_in_xavier_s_range() -> None:
    train = sparse.csr_array(np.array([[1, 0, 1], [0, 0, 0]], dtype=np.float32))
    users, items = initial_embeddings(train, 4, torch.Generator().manual_seed(1))
    assert users.any(dim=1).tolist() == [True, False]
    assert items.any(dim=1).tolist() == [True, False, True]
    assert items.abs().max() <= (6 / (3 + 4)) ** 0.5

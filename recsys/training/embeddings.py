"""Starting values: embeddings of users and items, and linear maps."""

from collections.abc import Callable

import numpy as np
import torch
from scipy import sparse
from torch import Tensor, nn


def initial_embeddings(
    train: sparse.csr_array,
    n_factors: int,
    source: torch.Generator,
    initialise: Callable[..., Tensor] = nn.init.xavier_uniform_,
) -> tuple[Tensor, Tensor]:
    """Xavier tables of users and items, uniform unless said, shapes (n_users, n_factors) and (n_items, n_factors).

    Rows without a training interaction start at zero. No pair holds them, so that random values would stay
    nearly so, as they do in the published code, and drown what content and neighbours say about a cold item.
    """
    tables = []
    for axis, n_rows in enumerate(train.shape):
        table = initialise(torch.empty(n_rows, n_factors), generator=source)
        degrees = np.bincount(train.tocoo().coords[axis], minlength=n_rows)
        tables.append(table * torch.from_numpy(degrees > 0)[:, None])
    return tables[0], tables[1]


def xavier_projection(n_inputs: int, n_outputs: int, source: torch.Generator) -> Tensor:
    """Xavier-normal weights of a linear map, shape (n_inputs, n_outputs)."""
    return nn.init.xavier_normal_(torch.empty(n_inputs, n_outputs), generator=source)

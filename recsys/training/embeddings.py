"""Starting values: embeddings of users and items, projections, and features on one scale."""

import numpy as np
import torch
from scipy import sparse
from torch import Tensor, nn

from recsys.content.features import Features


def generator(seed: int) -> torch.Generator:
    """The source of a network's starting values; torch's global one is left alone."""
    return torch.Generator().manual_seed(seed)


def step_generator(seed: int, device: torch.device) -> torch.Generator:
    """The source of what a network draws in each step, such as noise: another stream than its starting values."""
    return torch.Generator(device).manual_seed(int(np.random.SeedSequence((seed, 2)).generate_state(1)[0]))


def initial_embeddings(train: sparse.csr_array, n_factors: int, source: torch.Generator) -> tuple[Tensor, Tensor]:
    """Xavier-uniform tables of users and items, shapes (n_users, n_factors) and (n_items, n_factors).

    Rows without a training interaction start at zero. No batch ever holds them, so random values would stay
    random, as they do in the published code, and drown what content and neighbours say about a cold item.
    """
    tables = []
    for axis, n_rows in enumerate(train.shape):
        table = nn.init.xavier_uniform_(torch.empty(n_rows, n_factors), generator=source)
        degrees = np.bincount(train.tocoo().coords[axis], minlength=n_rows)
        tables.append(table * torch.from_numpy(degrees > 0)[:, None])
    return tables[0], tables[1]


def xavier_projection(n_inputs: int, n_outputs: int, source: torch.Generator) -> Tensor:
    """Xavier-normal weights of a linear map, shape (n_inputs, n_outputs)."""
    return nn.init.xavier_normal_(torch.empty(n_inputs, n_outputs), generator=source)


def scaled_features(features: Features) -> Tensor:
    """The matrix divided by the mean norm of its rows, float32, shape (n_items, dim); absent rows are zero.

    The published models take features raw: unit vectors for text, norms of tens for images, so that the louder
    source rules the first epochs whatever it says. One divisor a source removes that and keeps what rows say.
    """
    matrix = features.matrix * features.present[:, None]
    norm = np.linalg.norm(matrix[features.present], axis=1).mean() if features.present.any() else 0.0
    return torch.from_numpy((matrix / norm if norm > 0 else matrix).astype(np.float32))

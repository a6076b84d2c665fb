"""How alike the items of a set are."""

import numpy as np
import pytest
from scipy import sparse

from recsys.content.coherence import coherence
from recsys.content.features import Features


def features(rows: list[list[float]]) -> Features:
    matrix = np.array(rows, dtype=np.float32)
    return Features(matrix, matrix.any(axis=1))


def test_the_mean_cosine_of_pairs() -> None:
    text = features([[2, 0], [0, 3], [1, 1], [0, 0]])
    sets = sparse.csr_array(np.float32([[1, 1, 0, 0], [1, 1, 1, 0], [1, 0, 1, 1], [1, 0, 0, 1], [0, 0, 0, 0]]))
    found = coherence(sets, {"text": text})
    half = np.sqrt(0.5)
    # The last item has no text: its set of three is one pair, and its set of two cannot tell.
    np.testing.assert_allclose(found, [0, (0 + half + half) / 3, half, np.nan, np.nan], atol=1e-6)


def test_sources_that_can_tell_count_alike() -> None:
    text, image = features([[1, 0], [1, 0], [0, 0]]), features([[1, 0], [0, 1], [0, 1]])
    sets = sparse.csr_array(np.float32([[1, 1, 0], [0, 1, 1]]))
    assert coherence(sets, {"text": text, "image": image}) == pytest.approx([0.5, 1.0])

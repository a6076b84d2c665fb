"""Lists of words to a binary matrix: a column for each of the most frequent."""

import numpy as np
import pandas as pd

from recsys.content.features import Features


def one_hot(values: pd.Series, top: int | None) -> np.ndarray:
    """Which values each item has, float32, shape (n_items, n_values), the most frequent first.

    Args:
        values: a list of words for each item, by any index; case, outer space and the encoding of a letter do not
            matter.
        top: keep so many values, and merge the others into one last column; None keeps all.
    """
    words = pd.Series(values.to_numpy(), dtype="object").explode().dropna().astype(str)
    words = words.str.normalize("NFKC").str.strip().str.casefold()
    words = words[words != ""]
    counts = words.to_frame("word").reset_index().drop_duplicates()["word"].value_counts()
    # The alphabet decides between equally frequent values, so that the order of items does not.
    order = sorted(counts.index, key=lambda word: (-counts[word], word))
    columns = {word: column if top is None else min(column, top) for column, word in enumerate(order)}
    matrix = np.zeros((len(values), max(columns.values(), default=-1) + 1), dtype=np.float32)
    matrix[words.index, words.map(columns).astype(int)] = 1
    return matrix


def join(blocks: list[np.ndarray]) -> Features:
    """Binary blocks side by side; an item without any value is absent."""
    matrix = np.concatenate(blocks, axis=1)
    if not matrix.shape[1]:
        matrix = np.zeros((len(matrix), 1), dtype=np.float32)
    return Features(matrix, np.any(matrix, axis=1))

"""Latent semantic analysis: TF-IDF of terms, then a truncated singular value decomposition.

Deerwester et al., Indexing by latent semantic analysis, JASIS 1990. Needs no trained weights, runs in seconds,
and is the yardstick that a sentence encoder must beat. What a term is, in texts of any script, says
`recsys.content.terms`.
"""

from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from recsys.content.encoder import Context, Encoder, EncoderOptions, Modality
from recsys.content.encoders.registry import register
from recsys.content.features import Features
from recsys.content.texts import item_texts
from recsys.errors import UserError

if TYPE_CHECKING:
    from scipy import sparse

# A row shorter than this after the decomposition is rounding error: its direction means nothing.
SMALLEST_NORM = 1e-6
PIECES_WEIGHT = 0.7
"""Pieces of words count half as much as words: their squared length is half."""


class TfidfSvdOptions(EncoderOptions):
    """Options of `tfidf_svd`.

    Attributes:
        fields: item columns whose words are joined; `answer` is the item's answer in the corpus. None: the
            answer where a corpus is given, else title and text.
        dim: number of columns; fewer where there are fewer items or words.
        stop_words: `english` leaves out the commonest English words.
        min_df: leave out words, and pieces of words, of fewer items than this.
        seed: of the randomised decomposition.
    """

    fields: tuple[str, ...] | None = Field(None, min_length=1)
    dim: int = Field(128, ge=1)
    stop_words: Literal["english"] | None = None
    min_df: int = Field(1, ge=1)
    seed: int = 0


@register
class TfidfSvd(Encoder):
    """TF-IDF and truncated SVD; rows have unit length."""

    Options = TfidfSvdOptions
    modality: ClassVar[Modality] = "text"
    description = "words of any script weighted by TF-IDF, reduced by a truncated SVD (latent semantic analysis)"
    quick = True
    reduces = True

    def encode(self, items: pd.DataFrame, context: Context) -> Features:
        """Unit vectors; an item without a known word is absent."""
        from sklearn.utils.extmath import randomized_svd

        terms = self._weigh(item_texts("tfidf_svd", items, self.options.fields, context.corpus))
        has_words = np.diff(terms.indptr) > 0
        dim = min(self.options.dim, int(has_words.sum()), terms.shape[1])
        _, _, directions = randomized_svd(terms, dim, random_state=self.options.seed)
        rows = terms @ directions.T
        norms = np.linalg.norm(rows, axis=1)
        present = norms > SMALLEST_NORM
        return Features.where(present, rows / np.where(present, norms, 1)[:, None])

    def share_isolated(self, items: pd.DataFrame, context: Context) -> float:
        """Share of the items with words that share none of them, nor a piece of one, with any other item."""
        terms = self._weigh(item_texts("tfidf_svd", items, self.options.fields, context.corpus))
        n_shared = terms @ (_n_texts(terms) > 1)
        return float((n_shared[np.diff(terms.indptr) > 0] == 0).mean())

    def _weigh(self, texts: pd.Series) -> "sparse.csr_array":
        """Words and pieces of words by TF-IDF, shape (n_items, n_terms); rows of unit length."""
        from scipy import sparse
        from sklearn.preprocessing import normalize

        from recsys.content.terms import count_terms

        words, pieces = (self._frequent(counts) for counts in count_terms(texts.tolist(), self._stop_words()))
        if not words.shape[1]:
            fields = self.options.fields or "default fields"
            raise UserError(
                f"encoder 'tfidf_svd': no words in {fields} of {len(texts)} items "
                f"(min_df {self.options.min_df}); give fields that hold text, or a lower min_df"
            )
        return sparse.csr_array(normalize(sparse.hstack([_tfidf(words), _tfidf(pieces) * PIECES_WEIGHT])))

    def _stop_words(self) -> frozenset[str]:
        from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

        return ENGLISH_STOP_WORDS if self.options.stop_words else frozenset()

    def _frequent(self, counts: "sparse.csr_array") -> "sparse.csr_array":
        return counts[:, _n_texts(counts) >= self.options.min_df]


def _tfidf(counts: "sparse.csr_array") -> "sparse.csr_array":
    from scipy import sparse
    from sklearn.feature_extraction.text import TfidfTransformer

    if not counts.shape[1]:
        return counts
    return sparse.csr_array(TfidfTransformer(sublinear_tf=True).fit_transform(counts))


def _n_texts(counts: "sparse.csr_array") -> np.ndarray:
    return np.bincount(counts.indices, minlength=counts.shape[1])

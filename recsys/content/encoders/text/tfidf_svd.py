"""Latent semantic analysis: TF-IDF of words, then a truncated singular value decomposition.

Deerwester et al., Indexing by latent semantic analysis, JASIS 1990. Needs no trained weights, runs in seconds,
and is the yardstick that a sentence encoder must beat.
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


class TfidfSvdOptions(EncoderOptions):
    """Options of `tfidf_svd`.

    Attributes:
        fields: item columns whose words are joined; `answer` is the item's answer in the corpus. None: the
            answer where a corpus is given, else title and text.
        dim: number of columns; fewer where there are fewer items or words.
        stop_words: `english` leaves out the commonest English words.
        min_df: leave out words of fewer items than this.
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
    description = "words weighted by TF-IDF, reduced by a truncated SVD (latent semantic analysis)"
    quick = True

    def encode(self, items: pd.DataFrame, context: Context) -> Features:
        """Unit vectors; an item without a known word is absent."""
        from sklearn.utils.extmath import randomized_svd

        words = self._count(item_texts("tfidf_svd", items, self.options.fields, context.corpus))
        has_words = np.diff(words.indptr) > 0
        dim = min(self.options.dim, int(has_words.sum()), words.shape[1])
        _, _, directions = randomized_svd(words, dim, random_state=self.options.seed)
        rows = words @ directions.T
        norms = np.linalg.norm(rows, axis=1)
        present = norms > SMALLEST_NORM
        return Features.where(present, rows / np.where(present, norms, 1)[:, None])

    def _count(self, texts: pd.Series) -> "sparse.csr_array":
        from scipy import sparse
        from sklearn.feature_extraction.text import TfidfVectorizer

        vectorizer = TfidfVectorizer(
            sublinear_tf=True,
            strip_accents="unicode",
            stop_words=self.options.stop_words,
            min_df=self.options.min_df,
        )
        try:
            return sparse.csr_array(vectorizer.fit_transform(texts))
        except ValueError:
            fields = self.options.fields or "default fields"
            raise UserError(
                f"encoder 'tfidf_svd': no words in {fields} of {len(texts)} items "
                f"(min_df {self.options.min_df}); give fields that hold text, or a lower min_df"
            ) from None

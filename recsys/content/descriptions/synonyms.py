"""Near-synonyms as one value: clusters of values by what a sentence encoder makes of them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field

from recsys.content.weights import locate


@dataclass(frozen=True)
class Synonyms:
    """Average-linkage clusters by cosine distance, named by their most frequent member.

    Attributes:
        embed: n texts to an array of shape (n, dim).
        threshold: clusters are merged while their mean distance is below this.
    """

    embed: Callable[[list[str]], np.ndarray]
    threshold: float

    def merge(self, n_items: pd.Series) -> dict[str, str]:
        """What each value becomes; time and memory grow with the square of the number of values.

        Args:
            n_items: number of items of each value, by value.
        """
        from sklearn.cluster import AgglomerativeClustering

        counts = n_items.sort_index()  # ties are then settled alike, whatever the order of items
        if len(counts) < 2:
            return {value: value for value in counts.index}
        clusters = AgglomerativeClustering(
            n_clusters=None, distance_threshold=self.threshold, metric="cosine", linkage="average"
        )
        label = clusters.fit_predict(self.embed(counts.index.tolist()))
        return dict(zip(counts.index, counts.groupby(label).transform("idxmax"), strict=True))


class Merge(BaseModel):
    """Which values of a field count as one.

    Attributes:
        model: a sentence encoder: a folder, or the id of a hub model (see `recsys.content.weights`).
        revision: the commit of a hub model.
        threshold: cosine distance up to which clusters are one. 0.2 joins `comedy` and `comedic`, or `kids` and
            `children`. The published pipeline takes 0.45, which by all-MiniLM-L6-v2 also joins opposites, such as
            `joyful` and `sorrowful` or `adults` and `teenagers`: opposites stand in the same sentences.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    model: str = "sentence-transformers/all-MiniLM-L6-v2"
    revision: str | None = None
    threshold: float = Field(gt=0, lt=2)

    def load(self, folder: Path | None = None) -> Synonyms:
        """The encoder at work; `folder` is what a relative model folder is relative to."""
        from sentence_transformers import SentenceTransformer

        from recsys.content.pretrained.encoder import loading

        place = locate(self.model, self.revision, folder)
        with loading(place):
            encoder = SentenceTransformer(
                str(place), local_files_only=True, trust_remote_code=False, model_kwargs={"use_safetensors": True}
            )
        return Synonyms(lambda texts: np.asarray(encoder.encode(texts, show_progress_bar=False)), self.threshold)

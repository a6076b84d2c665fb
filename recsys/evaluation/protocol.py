"""How models are evaluated: the choices of a study that apply to all its models alike."""

import re
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from recsys.evaluation.metrics.registry import primary_metrics, user_metrics


class Protocol(BaseModel):
    """Evaluation settings.

    Attributes:
        ks: cut-offs, ascending.
        primary: the metric that tunes, stops training, chooses and judges, such as `ndcg_at_20`.
        mask: what cannot be recommended at test: `seen` (train and validation items) or `train` (train
            items only, for parity with published tables). At validation both mask the train items.
        n_negatives: None ranks all items; a number ranks each user's held-out items among so many items
            the user never touched, drawn once and the same for all models.
        negatives_seed: of that draw.
        ndcg: `truncated` divides by the ideal over min(k, held-out items); `retrieved` by the ideal order
            of the hits within the longest list, as some published code does.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    ks: tuple[int, ...] = (5, 10, 20, 50)
    primary: str = "ndcg_at_20"
    mask: Literal["seen", "train"] = "seen"
    n_negatives: int | None = Field(default=None, ge=1)
    negatives_seed: int = 42
    ndcg: Literal["truncated", "retrieved"] = "truncated"

    @field_validator("ks")
    @classmethod
    def _ascending(cls, ks: tuple[int, ...]) -> tuple[int, ...]:
        if not ks or min(ks) < 1:
            raise ValueError("give at least one cut-off of 1 or more, such as [10, 20]")
        return tuple(sorted(set(ks)))

    @field_validator("primary")
    @classmethod
    def _known(cls, primary: str) -> str:
        names = primary_metrics()
        if not re.fullmatch(rf"({'|'.join(names)})_at_[1-9]\d*", primary):
            raise ValueError(
                f"unknown metric '{primary}'; write METRIC_at_K with METRIC one of {', '.join(names)}, and K 1 or more"
            )
        return primary

    @property
    def metrics(self) -> set[str]:
        """Names of what is measured user by user, such as `recall_at_10`."""
        return {f"{name}_at_{k}" for name in user_metrics() for k in self.ks} | {self.primary}

    @property
    def depth(self) -> int:
        """Length of the ranked lists."""
        return max(*self.ks, self.primary_k)

    @property
    def primary_name(self) -> str:
        """The primary metric without its cut-off, such as `ndcg`."""
        return self.primary.rpartition("_at_")[0]

    @property
    def primary_k(self) -> int:
        """The primary metric's cut-off."""
        return int(self.primary.rpartition("_at_")[2])

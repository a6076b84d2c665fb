"""Which setting of ours is which of MMRec's: one of its grid for each model, the same for both."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Row:
    """A model by both names.

    Attributes:
        model: by our name.
        theirs: MMRec's hyper-parameters.
        ours: the same by our names.
        learning_rate: of both.
        name: MMRec's name, where it is another.
        faster: how many times less processor time ours should take an epoch.
    """

    model: str
    theirs: dict[str, Any]
    ours: dict[str, Any]
    faster: float
    learning_rate: float = 1e-3
    name: str = field(default="")

    @property
    def mmrec(self) -> str:
        """MMRec's name."""
        return self.name or self.model


RAW = {"feature_scaling": "raw"}
ROWS = (
    Row("BPRMF", {"reg_weight": 0.1}, {"norm_weight": 0.1}, 3, name="BPR"),
    Row("LightGCN", {"n_layers": 2, "reg_weight": 1e-3}, {"n_layers": 2, "l2": 1e-3}, 3),
    Row("VBPR", {"reg_weight": 0.01}, RAW | {"norm_weight": 0.01}, 5),
    Row(
        "BM3",
        {"n_layers": 1, "dropout": 0.5, "reg_weight": 0.1},
        RAW | {"n_layers": 1, "dropout": 0.5, "norm_weight": 0.1},
        5,
    ),
    Row("FREEDOM", {"dropout": 0.8, "reg_weight": 1e-3}, RAW | {"drop_rate": 0.8, "content_weight": 1e-3}, 5),
    Row("MGCN", {"cl_loss": 0.01}, RAW | {"contrast_weight": 0.01}, 10),
    Row("LATTICE", {"reg_weight": 1e-5, "n_layers": 1}, RAW | {"l2": 1e-5}, 10, learning_rate=5e-4),
    Row(
        "DualGNN",
        {"aggr_mode": "add", "reg_weight": 1e-3},
        RAW | {"preference_l2": 1e-3, "image_weight_on_sum": True},
        10,
    ),
    Row("DRAGON", {"aggr_mode": "add", "reg_weight": 1e-3}, RAW | {"preference_l2": 1e-3}, 10),
    Row(
        "PGL",
        {"dropout": 0.2, "reg_weight": 0, "mode": "local"},
        RAW | {"dropout": 0.2, "contrast_weight": 0.0, "drop_rate": 0.7},
        5,
    ),
    Row(
        "MMGCF",
        {"n_ui_layers": 2, "reg_weight": 1e-4, "fusion_mode": "sum", "weighting": "equal", "dropout": 0.2},
        RAW | {"n_layers": 2, "l2": 1e-4, "fusion": "sum", "weighting": "equal", "drop_rate": 0.2},
        5,
    ),
    Row(
        "SLMRec",
        {"layer_num": 3, "ssl_alpha": 0.1, "ssl_temp": 0.2, "reg": 1e-4},
        {"alignment_weight": 0.1, "alignment_temperature": 0.2},
        5,
        learning_rate=1e-2,
    ),
    Row(
        "LGMRec",
        {
            "n_ui_layers": 2,
            "n_mm_layers": 2,
            "n_hyper_layer": 1,
            "hyper_num": 4,
            "keep_rate": 0.5,
            "alpha": 0.3,
            "cl_weight": 1e-4,
            "reg_weight": 1e-6,
        },
        RAW | {"n_attributes": 4, "n_hyper_layers": 1, "dropout": 0.5, "global_weight": 0.3},
        5,
    ),
    Row(
        "SMORE",
        {"n_ui_layers": 3, "image_knn_k": 10, "text_knn_k": 10, "reg_weight": 1e-4, "dropout_rate": 0},
        RAW | {"n_layers": 3, "n_image_neighbours": 10, "n_neighbours": 10, "l2": 1e-4, "dropout": 0.0},
        5,
    ),
    # MMRec's MMGCN has three layers whatever `n_layers` says.
    Row(
        "MMGCN",
        {"n_layers": 2, "reg_weight": 1e-3},
        RAW | {"n_layers": 3, "l2": 1e-3, "train_embeddings": False},
        10,
    ),
    Row("GRCN", {"n_layers": 3, "reg_weight": 1e-3}, RAW | {"l2": 1e-3, "hard": True}, 10),
)
"""What is left out: MMRec's DA-MRS needs a file that MMRec cannot make."""

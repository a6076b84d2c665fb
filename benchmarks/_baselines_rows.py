"""Which models are measured beside their peers, with which hyper-parameters, and what is left out."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Row:
    """A model with its hyper-parameters, and who has it too.

    Attributes:
        model: our class.
        params: by our names.
        peers: scripts in `benchmarks/peers` without `run_`; after a blank a variant that the script knows.
        slower: why we are slower than a peer, where we are.
        label: its name where a model has several rows.
    """

    model: str
    params: dict[str, Any]
    peers: tuple[str, ...]
    slower: str = ""
    label: str = ""

    @property
    def name(self) -> str:
        """By which it is asked for and printed."""
        return self.label or self.model


TRAINED = {"n_factors": 64, "batch_size": 2048, "learning_rate": 1e-2}
ONE_PASS = (
    "similaripy multiplies sparse rows and keeps the best of each in one pass of C++; ours multiplies by scipy, which "
    "counts before, and gives ranking the dense scores that it gets from every model."
)
ROWS = [
    Row("TopPop", {}, ("cornac", "lenskit", "warprec")),
    Row("ItemKNN", {"n_neighbours": 100, "shrink": 0}, ("similaripy", "implicit", "lenskit", "warprec"), ONE_PASS),
    Row("ItemKNN", {"n_neighbours": 100, "shrink": 10}, ("similaripy",), ONE_PASS, "ItemKNN, shrink 10"),
    Row("UserKNN", {"n_neighbours": 100, "shrink": 0}, ("similaripy", "warprec"), ONE_PASS),
    Row("UserKNN", {"n_neighbours": 100, "shrink": 10}, ("similaripy",), ONE_PASS, "UserKNN, shrink 10"),
    Row("P3alpha", {"n_neighbours": 500, "alpha": 0.3, "normalise": False}, ("similaripy",), ONE_PASS),
    Row(
        "RP3beta",
        {"n_neighbours": 500, "alpha": 0.3, "beta": 0.1, "normalise": False},
        ("similaripy", "warprec"),
        ONE_PASS,
    ),
    Row("EASE", {"l2": 1000.0}, ("cornac", "lenskit", "warprec")),
    Row(
        "SLIMElasticNet",
        {"n_neighbours": 100, "alpha": 1e-3, "l1_ratio": 0.1},
        ("lenskit", "sklearn"),
        "lenskit does all items in one call of Rust; ours cuts a small problem out for each in Python and hands it to "
        "scikit-learn's descent.",
    ),
    Row(
        "PureSVD",
        {"n_factors": 64},
        ("sklearn", "sklearn Lanczos"),
        "the randomised method stops at vectors near the singular ones, other ones with each seed; ours are those of "
        "the matrix to rounding, as those of the Lanczos method are.",
    ),
    Row(
        "NMF",
        {"n_factors": 64, "max_iterations": 100},
        ("sklearn", "sklearn descent"),
        "ours is scikit-learn's in double precision: in single precision it overflows on sparse markets from some two "
        "hundred factors on.",
    ),
    Row(
        "IALS",
        {"n_factors": 64, "unobserved_weight": 0.1, "l2": 0.003, "frequency_power": 0.0, "n_iterations": 16},
        ("implicit", "implicit exact", "lenskit", "warprec"),
        "implicit takes three steps of conjugate gradients towards each vector; ours solves for it, as "
        "`implicit exact` does.",
    ),
    Row(
        "BPRMF",
        TRAINED | {"max_epochs": 20, "learning_rate": 2e-3, "norm_weight": 0.25},
        ("implicit", "cornac", "lenskit", "warprec"),
        "the others take one pair at a time in C++; ours takes batches, and Adam moves the whole tables at each, as "
        "in the content models that are to be compared with it.",
    ),
    Row("LightGCN", TRAINED | {"max_epochs": 5, "n_layers": 2, "l2": 1e-4}, ("lenskit", "warprec")),
    Row(
        "MultVAE",
        {
            "n_hidden": 200,
            "n_factors": 100,
            "dropout": 0.5,
            "kl_weight": 0.2,
            "annealing_steps": 1,
            "batch_size": 500,
            "learning_rate": 1e-3,
            "max_epochs": 5,
        },
        ("cornac", "warprec"),
    ),
]

LEFT_OUT = {
    "douyin": {"lenskit": "left out, as it makes lists user by user: see Baby"},
    "larger": {
        "EASE": "left out, as the inverse costs ten times Baby's",
        "LightGCN": "left out, as an epoch costs about twenty times Baby's",
        "lenskit": "left out, as it makes lists user by user: see Baby",
    },
}
"""By market: rows and packages that are not measured, and why."""

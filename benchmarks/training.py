"""One training epoch on Amazon Baby: LightGCN and FREEDOM beside plain torch in the same run, other models alone.

The plain way: the graph as a COO tensor in `torch.sparse.mm`, autograd through every layer, whole feature tables
projected in each step, Adam as it comes. Both ways train on the same triples, drawn before the clock starts; ours
draws an epoch's once more within it, so that its time is that of a whole epoch.

MODALIFT_DATA=... python benchmarks/training.py
"""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from _baby import N_ITEMS, compare, console, market, seconds
from rich.table import Table
from scipy import sparse
from torch import Tensor, nn

from recsys.content.features import Content, Features
from recsys.memory import keep_freed_memory
from recsys.models import registry
from recsys.models.gradient import LearnsByGradient
from recsys.models.graph.lightgcn import LightGCNConfig, LightGCNNetwork
from recsys.models.multimodal.freedom import FREEDOMConfig, FREEDOMNetwork
from recsys.recommender import TrainingData
from recsys.training.graph import EdgeDropping, adjacency
from recsys.training.item_graph import mixed_item_graph
from recsys.training.network import PairwiseNetwork

Triple = tuple[Tensor, ...]
N_FACTORS, N_LAYERS = 64, 2
RATE = 1e-3
L2, CONTENT_WEIGHT = 1e-4, 1e-3


def content() -> Content:
    """Baby's features, or random ones of their shape."""
    folder = os.environ.get("MODALIFT_DATA")
    rng = np.random.default_rng(0)
    present = np.ones(N_ITEMS, dtype=bool)
    shown = {}
    for source in ("text", "image"):
        matrix = np.load(Path(folder) / "baby" / f"{source}_feat.npy") if folder else rng.random((N_ITEMS, 256))
        shown[source] = Features(matrix.astype(np.float32), present)
    return shown


def coo(matrix: sparse.csr_array) -> Tensor:
    """The matrix as the peers keep it."""
    entries = matrix.tocoo()
    places, values = torch.from_numpy(np.stack(entries.coords)), torch.from_numpy(entries.data)
    return torch.sparse_coo_tensor(places, values, entries.shape, check_invariants=True)


def our_epoch(network: PairwiseNetwork, triples: list[Triple]) -> Callable[[], None]:
    """An epoch by the project's network, as the loop runs it: sampling and, for FREEDOM, thinning are within."""
    optimiser = torch.optim.Adam(network.parameters(), lr=RATE, fused=True)

    def run() -> None:
        rng = np.random.default_rng(0)
        network.start_epoch(rng)
        next(network.batches(rng))
        for triple in triples:
            optimiser.zero_grad()
            network.loss(triple).backward()
            optimiser.step()

    return run


def plain_epoch(train: sparse.csr_array, shown: Content, triples: list[Triple]) -> Callable[[], None]:
    """An epoch in plain torch: LightGCN, or with content FREEDOM."""
    n_users = train.shape[0]
    table = nn.Parameter(nn.init.xavier_uniform_(torch.empty(sum(train.shape), N_FACTORS)))
    features = [nn.Parameter(torch.from_numpy(source.matrix.copy())) for source in shown.values()]
    linears = [nn.Linear(source.shape[1], N_FACTORS) for source in features]
    item_graph = coo(mixed_item_graph(shown, k=10, image_weight=0.1)) if shown else None
    dropping = EdgeDropping(train, 0.8)
    parameters = [table, *features, *(weight for linear in linears for weight in linear.parameters())]
    optimiser = torch.optim.Adam(parameters, lr=RATE)

    def loss(graph: Tensor, users: Tensor, positives: Tensor, negatives: Tensor) -> Tensor:
        layers: list[Tensor] = [table]
        for _ in range(N_LAYERS):
            layers.append(torch.sparse.mm(graph, layers[-1]))
        nodes = torch.stack(layers, dim=1).mean(dim=1)
        user_table, item_table = nodes[:n_users], nodes[n_users:]
        if item_graph is not None:
            item_table = item_table + torch.sparse.mm(item_graph, table[n_users:])
        total = bpr(user_table[users], item_table[positives], item_table[negatives])
        for matrix, linear in zip(features, linears, strict=True):
            projected = linear(matrix)
            total = total + CONTENT_WEIGHT * bpr(user_table[users], projected[positives], projected[negatives])
        if not features:
            ego = (table[users], table[n_users + positives], table[n_users + negatives])
            total = total + L2 * sum(rows.square().sum() for rows in ego) / (2 * len(users))
        return total

    def run() -> None:
        graph = coo(adjacency(dropping.draw(np.random.default_rng(0)) if shown else train))
        for triple in triples:
            optimiser.zero_grad()
            loss(graph, *triple).backward()
            optimiser.step()

    return run


def bpr(u: Tensor, p: Tensor, n: Tensor) -> Tensor:
    """The loss written out."""
    return -torch.log(1e-10 + torch.sigmoid((u * p).sum(dim=1) - (u * n).sum(dim=1))).mean()


def main() -> None:
    """Time two models both ways, and others."""
    train, shown = market().train, content()
    data = TrainingData(train, shown)
    lightgcn = LightGCNNetwork(data, LightGCNConfig(n_factors=N_FACTORS, n_layers=N_LAYERS, l2=L2))
    triples = list(lightgcn.batches(np.random.default_rng(1)))
    console.print(f"{train.nnz} pairs in {len(triples)} batches, {torch.get_num_threads()} thread(s)")
    freedom = FREEDOMNetwork(
        data, FREEDOMConfig(n_factors=N_FACTORS, n_layers=N_LAYERS, content_weight=CONTENT_WEIGHT)
    )
    plain = [seconds(plain_epoch(train, {}, triples)), seconds(plain_epoch(train, shown, triples))]
    keep_freed_memory()  # as the loop does; the plain way has run without
    ours = [seconds(our_epoch(network, triples)) for network in (lightgcn, freedom)]
    rows = [
        (name, mine, "COO, autograd, Adam", theirs)
        for name, mine, theirs in zip(("LightGCN", "FREEDOM"), ours, plain, strict=True)
    ]
    compare(f"One epoch, {N_FACTORS} factors, {N_LAYERS} layers, batches of 2048", rows)
    table = Table("", "seconds", title="One epoch with default hyper-parameters")
    for name in ("BPRMF", "VBPR", "BM3", "LATTICE", "MGCN"):
        model = registry.load(name).from_params()
        assert isinstance(model, LearnsByGradient)
        network = model.new_network(data)
        assert isinstance(network, PairwiseNetwork)
        table.add_row(name, f"{seconds(our_epoch(network, triples)):.2f}")
    console.print(table)


if __name__ == "__main__":
    main()

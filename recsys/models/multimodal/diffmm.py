"""DiffMM: the user-item graph, and beside it a graph for each source that a diffusion model generates."""

from itertools import combinations
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from pydantic import NonNegativeFloat, PositiveFloat, PositiveInt
from torch import Tensor, nn
from torch.nn.functional import embedding, leaky_relu

from recsys.models.gradient import GradientModel
from recsys.models.multimodal._diffusion import BATCH, Diffusion, thinned
from recsys.models.registry import register
from recsys.recommender import DataSize, DropRate, Presets, TrainingData, searched
from recsys.training.content import FROZEN, ContentConfig, Sources
from recsys.training.contrast import info_nce_loss
from recsys.training.graph import adjacency
from recsys.training.graph_network import GraphNetwork
from recsys.training.losses import factor_bpr_loss, unit
from recsys.training.network import Batch
from recsys.training.operators import SparseOperator
from recsys.training.propagation import propagate

Mapping = Literal["leaky", "linear"]
Contrast = Literal["sources", "final"]
AS_PUBLISHED = {"batch_size": 1024, "learning_rate": 1e-3, "feature_scaling": "raw"}


class DiffMMConfig(ContentConfig):
    """Hyper-parameters of DiffMM.

    Attributes:
        n_layers: propagation steps of the sources' mixture on the user-item graph.
        mapping: how features are mapped: `leaky`: by a matrix without bias, then a leaky ReLU of slope 0.2; `linear`:
            by a matrix with bias.
        generated_weight: weight of the generated graphs in the mixture.
        residual_weight: weight of the mixture, of length one, in the final vectors.
        l2: weight of the squared norm of both whole tables, in each step.
        contrast: `sources`: of each two sources' views; `final`: of each source's view with the final vectors, which
            is also done where there is one source.
        contrast_weight: weight of that loss.
        temperature: temperature of that contrast.
        n_hidden: size of the denoisers' hidden layer.
        guidance_weight: weight of the content in the denoisers' loss.
        n_generated: items that a user is tied to in a generated graph.
        drop_rate: share of a generated graph's entries left out in each epoch.
    """

    n_layers: PositiveInt = 1
    mapping: Mapping = "leaky"
    generated_weight: NonNegativeFloat = 0.2
    residual_weight: NonNegativeFloat = searched(0.5, choices=[0.0, 0.1, 0.5])
    l2: NonNegativeFloat = searched(1e-5, 1e-6, 1e-3, log=True)
    contrast: Contrast = searched("sources", choices=["sources", "final"], needs="sources")
    contrast_weight: NonNegativeFloat = searched(0.01, choices=[0.0, 0.01, 0.1], needs="content")
    temperature: PositiveFloat = searched(0.5, choices=[0.1, 0.5], unless={"contrast_weight": [0.0]}, needs="content")
    n_hidden: PositiveInt = 1000
    guidance_weight: NonNegativeFloat = 0.1
    n_generated: PositiveInt = 1
    drop_rate: DropRate = searched(0.0, choices=[0.0, 0.5], needs="content")


class DiffMMNetwork(GraphNetwork):
    """Embeddings, mapped features, the user-item graph with self-loops, and each source's generated graph."""

    def __init__(self, data: TrainingData, config: DiffMMConfig) -> None:
        """Draw the parameters from the seed."""
        super().__init__(data, config, adjacency(data.train, self_loops=True))
        self.config, shown = config, data.content
        self.sources = Sources(shown, config, trained=False)
        for source in self.sources:
            if config.mapping == "leaky":
                nn.init.xavier_uniform_(source.linear.weight)
                source.linear.register_parameter("bias", None)
        self.weights = nn.Parameter(torch.full((len(shown),), 1 / len(shown))) if len(shown) > 1 else None
        options = config.n_hidden, config.guidance_weight, config.learning_rate
        self.diffusions = [Diffusion(data.train, *options) for _ in shown]
        self.generated = nn.ModuleList()

    def start_epoch(self, rng: np.random.Generator) -> None:
        """Let the denoisers pass over the users once, then generate the graphs anew."""
        graphs = []
        for content, diffusion in zip(self._contents(), self.diffusions, strict=True):
            diffusion.learn(content.detach(), self.items.detach(), rng)
            graph = adjacency(diffusion.graph(self.config.n_generated), self_loops=True)
            rate = self.config.drop_rate
            graphs.append(SparseOperator(thinned(graph, rate, rng), symmetric=rate == 0).to(self.device))
        self.generated = nn.ModuleList(graphs)

    def loss(self, batch: Batch) -> Tensor:
        """BPR of the final vectors, the norm of the tables, and the contrast of the batch's distinct nodes."""
        users, positives, _ = batch
        contents = [unit(content) for content in self._contents()]
        final = self._final(contents)
        u, p, n = embedding(self.nodes(*batch), final).chunk(3)
        norm = self.users.square().sum() + self.items.square().sum()
        loss = factor_bpr_loss(u, p, n) + self.config.l2 * norm
        if contents and self.config.contrast_weight > 0:
            sides = users.unique(), positives.unique() + len(self.users)
            loss = loss + self.config.contrast_weight * self._contrast(sides, final, contents)
        return loss

    def factors(self) -> tuple[Tensor, Tensor]:
        """Final vectors, on the generated graphs of the last epoch."""
        return self.parted(self._final([unit(content) for content in self._contents()]))

    def _contents(self) -> list[Tensor]:
        """Each source's mapped features."""
        if self.config.mapping == "linear":
            return [source() for source in self.sources]
        return [leaky_relu(source(), 0.2) for source in self.sources]

    def _final(self, contents: list[Tensor]) -> Tensor:
        """All nodes' vectors; the sources' parts are linear in them, and so are mixed before propagation."""
        embeddings = torch.cat([self.users, self.items])
        if contents:
            ones = self.users.new_ones(1)
            shares = ones if self.weights is None else self.weights.softmax(dim=0)
            mean = (torch.stack(contents) * shares[:, None, None]).sum(dim=0)
            by_content = self.adjacency @ torch.cat([self.users, mean])
            mixture = by_content + self.adjacency @ torch.cat([by_content[: len(self.users)], self.items])
            for share, graph in zip(shares, self.generated, strict=True):
                mixture = mixture + self.config.generated_weight * share * graph(embeddings)
        else:
            mixture = self.adjacency @ embeddings
        layers = propagate(self.adjacency, mixture, self.config.n_layers, "sum")
        return layers + self.config.residual_weight * unit(mixture)

    def _contrast(self, sides: tuple[Tensor, ...], final: Tensor, contents: list[Tensor]) -> Tensor:
        """InfoNCE between views of the same nodes, users against users and items against items."""
        starts = [
            graph(torch.cat([self.users, content])) for graph, content in zip(self.generated, contents, strict=True)
        ]
        views = [propagate(self.adjacency, start, self.config.n_layers, "sum") for start in starts]
        among_sources = self.config.contrast == "sources" and len(views) > 1
        pairs = combinations(views, 2) if among_sources else [(final, view) for view in views]
        losses = [
            info_nce_loss(embedding(nodes, one), embedding(nodes, other), self.config.temperature)
            for one, other in pairs
            for nodes in sides
        ]
        return torch.stack(losses).sum()


@register
class DiffMM(GradientModel):
    """Score: the inner product of z = sum of layers 0 to `n_layers` of E, plus `residual_weight` E / |E|.

    E = sum_m w_m E_m with softmax weights of the sources, and E_m = S [u; f_m] + S [(S [u; f_m])_users; e] + 0.2 G_m
    [u; e] with mapped features f_m of length one, embeddings u and e, and the user-item graph S with self-loops. The
    graph G_m ties each user to the item that ranks first in the user's profile once the source's diffusion model has
    denoised it; before each epoch that model is trained on all profiles once and the graph is generated anew.
    Contrast: a node's views G_m [u; f_m], propagated, of two sources.

    As in the published code a generated graph is thinned once it is normalised, and seen items are not left out, so
    that it mostly repeats an interaction. Also as published, the denoisers' loss gives the second of their five steps
    a weight of 8,300, which nearly hides the content's part. Decided here: the contrast is that of the batch's
    distinct nodes, where the published denominator is over all; the loss divides by the batch's size, also in the last
    batch; negatives are drawn from training items; users and items without interactions have no generated edge; a
    single source is contrasted with the final vectors. Without content E is S [u; e]: LightGCN with self-loops, its
    layers summed from the first on, and the residual. Defaults are those of the published code, without thinning.
    """

    Config = DiffMMConfig
    network = DiffMMNetwork
    source = "Jiang, Xia, Wei, Luo, Lin, Huang: DiffMM: Multi-Modal Diffusion Model for Recommendation, MM 2024"
    scores_cold_items = True
    without_content = "LightGCN"
    bytes_per_feature = FROZEN
    presets: ClassVar[Presets] = {
        "published/baby": AS_PUBLISHED
        | {"l2": 1e-5, "contrast_weight": 0.1, "guidance_weight": 0.01, "drop_rate": 0.0},
        "published/sports": AS_PUBLISHED
        | {"mapping": "linear", "l2": 1e-6, "contrast_weight": 0.01, "temperature": 0.1}
        | {"residual_weight": 0.1, "guidance_weight": 0.5, "drop_rate": 0.0},
        "published/tiktok": AS_PUBLISHED
        | {"mapping": "linear", "l2": 1e-4, "contrast": "final", "contrast_weight": 0.01}
        | {"guidance_weight": 0.1, "drop_rate": 0.5},
    }

    @classmethod
    def memory(cls, config: Any, size: DataSize) -> float:
        """Two sources' denoisers with gradients and moments, and a batch of profiles with what is made of it."""
        denoisers = (64 * config.n_hidden + 32 * BATCH) * size.n_items if size.width else 0
        return super().memory(config, size) + denoisers

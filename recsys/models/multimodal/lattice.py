"""LATTICE: LightGCN whose items are moved by their neighbours on a graph that is learned from content."""

import numpy as np
from torch import Tensor
from torch.nn.functional import embedding

from recsys.models.gradient import GradientModel
from recsys.models.registry import register
from recsys.recommender import TrainingData
from recsys.training.content import TRAINED
from recsys.training.graph import adjacency
from recsys.training.graph_network import GraphNetwork
from recsys.training.item_graph import item_graphs
from recsys.training.learned_graph import LearnedGraphConfig, LearnedItemGraph
from recsys.training.losses import factor_bpr_loss, squared_l2_loss, unit
from recsys.training.network import Batch


class LATTICEConfig(LearnedGraphConfig):
    """Hyper-parameters of LATTICE."""


class LATTICENetwork(GraphNetwork):
    """Embeddings, the user-item graph over them, and the item graph."""

    def __init__(self, data: TrainingData, config: LATTICEConfig) -> None:
        """Draw the parameters from the seed; without content that tells items apart there is no item graph."""
        super().__init__(data, config, adjacency(data.train, left=1, right=0, self_loops=True))
        self.config = config
        content = {source: data.content[source] for source in item_graphs(data.content, config.n_neighbours, "cosine")}
        self.item_graph = None
        if content:
            self.item_graph = LearnedItemGraph(content, config)

    @property
    def content_used(self) -> bool:
        """Whether there is an item graph."""
        return self.item_graph is not None

    def start_epoch(self, rng: np.random.Generator) -> None:
        """Let the first batch build the item graph anew, with gradients; the others take it as it then stands."""
        if self.item_graph is not None:
            self.item_graph.renew()

    def loss(self, batch: Batch) -> Tensor:
        """BPR of the final vectors, and their squared norm."""
        users, items = self.parted(self.propagated(self.config.n_layers))
        if self.item_graph is not None:
            operator, values = self.item_graph.current()
            items = items + unit(operator.product(values, self.items))
        u, p, n = (embedding(part, table) for part, table in zip(batch, (users, items, items), strict=True))
        return factor_bpr_loss(u, p, n) + self.config.l2 * squared_l2_loss(u, p, n)

    def factors(self) -> tuple[Tensor, Tensor]:
        """Final vectors, on an item graph of the parameters as they stand."""
        users, items = self.parted(self.propagated(self.config.n_layers))
        if self.item_graph is None:
            return users, items
        operator, values = self.item_graph()
        return users, items + unit(operator.product(values, self.items))


@register
class LATTICE(GradientModel):
    """Score: user vector . (item vector + the sum over its content neighbours of their embeddings, of length one).

    Users and items are LightGCN's over D^-1 (A + I). The item graph is a mixture of each source's kNN graph of
    cosines: a tenth of it from mapped, trained features, the rest from the features as given.

    As in the published code the learned graph is built with gradients in the first batch of each epoch only; features,
    maps and weights rest in the others, where Adam's momentum moved them on with the torch of the time. Decided here:
    it is never dense. Its neighbours are found block by block, and the gradient flows through the kept cosines alone
    and both their row sums, which is the published one, as all others are set to zero there; negative cosines count as
    no edge. The regulariser divides by the batch's size, also in the last batch. A single source has no weight to
    learn; items without a source have no edges in its graph. Without content the model is LightGCN over D^-1 (A + I).
    Defaults are the authors' but for the batches, there of 1,024 users; choices are those of the published tables.
    """

    Config = LATTICEConfig
    network = LATTICENetwork
    source = (
        "Zhang, Zhu, Liu, Wu, Wang, Wang: Mining Latent Structures for Multimedia Recommendation (LATTICE), MM 2021"
    )
    scores_cold_items = True
    without_content = "LightGCN"
    bytes_per_feature = TRAINED

"""REARM's graphs among users and among items, each mixed of co-occurrence and similar content (Ma et al., MM 2025)."""

from typing import Literal

from scipy import sparse

from recsys.content.features import Content, Features
from recsys.models.multimodal._vectors import user_means
from recsys.training.cooccurrence import cooccurrence
from recsys.training.item_graph import mixed_item_graph
from recsys.training.operators import SparseOperator


def user_interests(train: sparse.csr_array, content: Content) -> Content:
    """The content of users by source: the mean over those of their items that have it."""
    return {
        source: Features(user_means(train, features.matrix, features.present), train @ features.present > 0)
        for source, features in content.items()
    }


def graph_among(
    axis: Literal["users", "items"],
    train: sparse.csr_array,
    content: Content,
    *,
    n_cooccurring: int,
    n_similar: int,
    cooccurrence_share: float,
    image_weight: float,
) -> SparseOperator:
    """The mixed graph of users or of items; without content that of co-occurrence.

    Args:
        axis: whose graph.
        train: interactions, shape (n_users, n_items).
        content: of the users or of the items.
        n_cooccurring: most neighbours by co-occurrence.
        n_similar: neighbours by content, including the node itself.
        cooccurrence_share: weight of co-occurrence; the rest is content.
        image_weight: of images in the content's part, as for `mixed_item_graph`.
    """
    graph = cooccurrence(train, axis, n_cooccurring)
    if content:
        similar = mixed_item_graph(content, n_similar, image_weight, "similarity")
        graph = sparse.csr_array(cooccurrence_share * graph + (1 - cooccurrence_share) * similar)
    return SparseOperator(graph)

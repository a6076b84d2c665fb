"""Fusion of several views of a node, such as one from each source, into one vector."""

import torch
from torch import Tensor, nn


class ViewAttention(nn.Module):
    """Weighted mean of a node's views; the weights come from attention with a learned query."""

    def __init__(self, width: int) -> None:
        """Draw the query, which is the same for all views."""
        super().__init__()
        self.query = nn.Sequential(nn.Linear(width, width), nn.Tanh(), nn.Linear(width, 1, bias=False))

    def forward(self, views: Tensor, known: Tensor) -> Tensor:
        """The means, shape (n, width).

        Args:
            views: shape (n_views, n, width), zero where a node lacks the view.
            known: whether a node has the view, bool, shape (n_views, n, 1).
        """
        shares = self.query(views).masked_fill(~known, torch.finfo(views.dtype).min).softmax(dim=0)
        return (shares * views).sum(dim=0)


class CommonAndSpecific(nn.Module):
    """MGCN's behaviour-aware fusion: what a node's views share, and what is specific to each.

    The shared part is their mean by attention, a specific part the rest of a view, gated by the node's collaborative
    embedding; the result is the mean of these n_views + 1 parts (Yu et al., MGCN, MM 2023, eqs. 9 to 13). A single
    view is all shared.
    """

    def __init__(self, n_views: int, width: int) -> None:
        """Draw the gates and the query of attention."""
        super().__init__()
        if n_views > 1:
            self.preferences = nn.ModuleList(nn.Linear(width, width) for _ in range(n_views))
            self.attention = ViewAttention(width)

    def forward(self, views: Tensor, known: Tensor, collaborative: Tensor) -> Tensor:
        """The fused vectors, shape (n, width).

        Args:
            views: as for attention.
            known: as for attention.
            collaborative: the nodes' embeddings from interactions, the input of the gates, shape (n, width).
        """
        if len(views) == 1:
            return views[0] / 2
        common = self.attention(views, known)
        gates = torch.stack([preference(collaborative).sigmoid() for preference in self.preferences])
        specific = (gates * (views - common) * known).sum(dim=0)
        return (specific + common) / (known.sum(dim=0) + 1)

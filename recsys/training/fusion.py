"""Several views of a node, such as one by each source, in one vector."""

import torch
from torch import Tensor, nn


class Attention(nn.Module):
    """Mean of the views of a node, weighed by how well each answers to a learned query."""

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
    """What the views of a node have in common, by attention, and what is specific to each, as far as it is wanted.

    The mean of these n_views + 1 parts (Yu et al., MGCN, MM 2023, eqs. 9 to 13). A single view is all common.
    """

    def __init__(self, n_views: int, width: int) -> None:
        """Draw the gates by which a node says what it wants of a view, and the query of attention."""
        super().__init__()
        if n_views > 1:
            self.preferences = nn.ModuleList(nn.Linear(width, width) for _ in range(n_views))
            self.attention = Attention(width)

    def forward(self, views: Tensor, known: Tensor, taken: Tensor) -> Tensor:
        """The nodes by all views, shape (n, width).

        Args:
            views: as for attention.
            known: as for attention.
            taken: the nodes by interactions, from which it is read what they want, shape (n, width).
        """
        if len(views) == 1:
            return views[0] / 2
        common = self.attention(views, known)
        wanted = torch.stack([preference(taken).sigmoid() for preference in self.preferences])
        specific = (wanted * (views - common) * known).sum(dim=0)
        return (specific + common) / (known.sum(dim=0) + 1)

"""Dense matrix products by oneDNN while a network trains."""

from collections import Counter

import torch
from torch import Tensor

_NARROWEST = 16
_LARGE, _REPEATED = 2**19, 2**27
"""Multiplications of a product, and of all products of its shape so far, that make oneDNN's kernel worth making."""


class FastProducts:
    """In its context `@`, `nn.Linear` and their gradients multiply float32 matrices on a CPU by oneDNN.

    torch multiplies by MKL, which leaves half of an AMD processor's arithmetic unused: oneDNN is 2.0 to 2.6 times
    faster there, at the same precision. Most of a content model's step is such products, many of them in gradients
    that autograd writes, so that torch's own kernels are exchanged, within the context alone. Small products go to
    torch's kernels as before, and so do shapes that did not come often since this object was made.
    """

    def __init__(self) -> None:
        """Nothing is exchanged yet."""
        self._work: Counter[tuple[int, int, int]] = Counter()
        self._library: torch.library.Library | None = None

    def __enter__(self) -> None:
        """Exchange the kernels, if this torch has oneDNN's."""
        if torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, "_linear_pointwise"):
            self._library = torch.library.Library("aten", "IMPL")
            self._library.impl("mm", self._mm, "CPU", allow_override=True)
            self._library.impl("addmm", self._addmm, "CPU", allow_override=True)

    def __exit__(self, *_: object) -> None:
        """Put torch's own back."""
        if self._library is not None:
            self._library._destroy()
            self._library = None

    def _mm(self, a: Tensor, b: Tensor) -> Tensor:
        if self._serves(a, b):
            return _onednn(a, b)
        return torch.ops.aten.mm.out(a, b, out=a.new_empty(len(a), b.shape[1]))

    def _addmm(self, added: Tensor, a: Tensor, b: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
        if alpha == beta == 1 and self._serves(a, b):
            return _onednn(a, b).add_(added)
        return torch.ops.aten.addmm.out(added, a, b, beta=beta, alpha=alpha, out=a.new_empty(len(a), b.shape[1]))

    def _serves(self, a: Tensor, b: Tensor) -> bool:
        shape = *a.shape, b.shape[1]
        work = shape[0] * shape[1] * shape[2]
        if work < _LARGE or min(shape) < _NARROWEST or not a.dtype == b.dtype == torch.float32:
            return False
        self._work[shape] += work
        return self._work[shape] >= _REPEATED and a.layout == b.layout == torch.strided


def _onednn(a: Tensor, b: Tensor) -> Tensor:
    """The product, or the transpose of that of the transposes, as the left factor is copied unless it lies by rows."""
    a, b = _whole(a), _whole(b)
    if _copied(a) <= _copied(b.T):
        return torch.ops.mkldnn._linear_pointwise(a, b.T, None, "none", [], "")
    return torch.ops.mkldnn._linear_pointwise(b.T, a, None, "none", [], "").T


def _whole(factor: Tensor) -> Tensor:
    """The factor without gaps in memory: with them oneDNN takes loops a thousand times slower."""
    return factor if factor.is_contiguous() or factor.T.is_contiguous() else factor.contiguous()


def _copied(left: Tensor) -> int:
    return 0 if left.is_contiguous() else left.numel()

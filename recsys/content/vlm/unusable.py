"""The error of a model whose answers or vectors are of no use."""

from recsys.errors import UserError


class UnusableError(UserError):
    """What a model gives is of no use: its corpus is left out, and the rest of a study goes on."""

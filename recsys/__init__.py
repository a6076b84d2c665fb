"""The library: catalogues in, evidence out, in plain numpy, scipy and torch.

What belongs here: everything that a study computes. What does not: Dagster, MLflow, the home folder,
the command line; nothing in this package imports them, so that it works in a notebook without either.
"""

"""Hyper-parameter search: spaces, the tuner, pruning, and the search that runs a model's trials and finals."""

"""Recommenders without a notion of taste: every other model must beat them."""

"""Catalogues in, splits out: readers, cleaning, splits, and the synthetic market."""

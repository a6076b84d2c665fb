"""Linear item-item models, by regression or by ranking."""

"""Models that walk, propagate or filter on the user-item graph."""

"""Models that propagate embeddings over the user-item graph."""

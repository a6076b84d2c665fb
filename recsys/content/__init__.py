"""Items' content to vectors: encoders, description corpora, arms and controls."""

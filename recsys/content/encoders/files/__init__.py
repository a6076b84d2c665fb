"""Vectors that were made elsewhere."""

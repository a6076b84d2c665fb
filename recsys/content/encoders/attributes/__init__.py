"""Encoders of the further columns of an item table."""

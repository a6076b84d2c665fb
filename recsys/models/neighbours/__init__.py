"""Neighbourhood models: users or items that are alike."""

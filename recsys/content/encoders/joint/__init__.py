"""Encoders of pictures and words into one space."""

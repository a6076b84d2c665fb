"""Encoders of what a vision-language model said about items."""

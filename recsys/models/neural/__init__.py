"""Networks that read a user's whole profile at once."""

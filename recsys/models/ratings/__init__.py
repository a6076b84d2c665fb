"""Predictions of ratings, ranked: models that need what users gave and not only what they took."""

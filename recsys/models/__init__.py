"""Recommenders: the contract in `recsys.recommender`, the look-up in `registry`, then one file per model.

A model is found by its file: `EASE` stands in `linear/ease.py`. Models in `multimodal/` take content,
those in `ratings/` need what users gave and not only what they took.
"""

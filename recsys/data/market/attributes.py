"""What items of the market are like: attributes that the image shows, that the text says, or that neither tells."""

import numpy as np

SOURCES = ("image", "text", "hidden")

# Values of one attribute differ in what plain descriptors see: hue, brightness, texture, outline, extent.
VALUES: dict[str, dict[str, tuple[str, ...]]] = {
    "image": {
        "colour": ("red", "orange", "yellow", "green", "cyan", "blue", "violet", "pink"),
        "shape": ("circle", "square", "triangle", "star", "cross", "ring"),
        "pattern": ("plain", "stripes", "bars", "dots", "checks"),
        "background": ("white", "black", "grey", "sand", "teal"),
    },
    "text": {
        "theme": ("sea", "forest", "city", "space", "garden", "desert", "circus", "winter"),
        "material": ("wood", "metal", "glass", "linen", "clay", "leather"),
        "style": ("plain", "rustic", "baroque", "modern", "playful"),
        "mood": ("calm", "cheerful", "sombre", "bold", "tender"),
        "use": ("gift", "travel", "home"),
    },
    "hidden": {
        "a": tuple("abcdefgh"),
        "b": tuple("abcdef"),
        "c": tuple("abcde"),
        "d": tuple("abcde"),
        "e": tuple("abc"),
    },
}

CONCENTRATION = 0.5
"""How sharply liking grows with the number of respects in which an item is right; 0 would be a plain sum."""

Codes = dict[str, np.ndarray]
"""For each attribute of a source, the index of each item's value, int64, shape (n_items,)."""


def draw_items(n_items: int, rng: np.random.Generator) -> dict[str, Codes]:
    """Independent attributes of all items, by source."""
    return {
        source: {name: rng.integers(len(values), size=n_items) for name, values in attributes.items()}
        for source, attributes in VALUES.items()
    }


def draw_liking(codes: Codes, n_users: int, rng: np.random.Generator) -> np.ndarray:
    """How much each user likes each item for one source's attributes.

    A user has a Gaussian liking for each value of each attribute, and an item's liking is the exponential of
    their sum: an item that is right in every respect is worth far more than one that is right in most, so
    that tastes are concentrated on few items.

    Returns:
        float64, shape (n_users, n_items), mean 0 and spread 1 over the items of each user.
    """
    total = np.zeros((n_users, len(next(iter(codes.values())))))
    for values in codes.values():
        total += rng.standard_normal((n_users, values.max() + 1))[:, values]
    liking = np.exp(CONCENTRATION * _standardised(total))
    return _standardised(liking)


def _standardised(rows: np.ndarray) -> np.ndarray:
    centred = rows - rows.mean(axis=1, keepdims=True)
    return centred / centred.std(axis=1, keepdims=True)

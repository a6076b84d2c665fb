"""Titles and descriptions of the market's items: every text attribute is said, each time in other words."""

import numpy as np

# What may be said for a value of an attribute. Which words mean the same is not in the letters: a reader of
# words sees it only where a text uses two of them, a reader of meaning sees more.
WORDS: dict[str, dict[str, tuple[str, ...]]] = {
    "theme": {
        "sea": ("ocean", "nautical", "harbour"),
        "forest": ("woodland", "fern", "pine"),
        "city": ("urban", "skyline", "street"),
        "space": ("cosmic", "lunar", "orbit"),
        "garden": ("floral", "meadow", "rose"),
        "desert": ("dune", "cactus", "oasis"),
        "circus": ("carnival", "acrobat", "tent"),
        "winter": ("snowy", "alpine", "frosted"),
    },
    "material": {
        "wood": ("oak", "walnut"),
        "metal": ("steel", "brass"),
        "glass": ("crystal", "glass"),
        "linen": ("linen", "cotton"),
        "clay": ("porcelain", "terracotta"),
        "leather": ("leather", "suede"),
    },
    "style": {
        "plain": ("minimal", "uncluttered"),
        "rustic": ("farmhouse", "weathered"),
        "baroque": ("ornate", "gilded"),
        "modern": ("contemporary", "sleek"),
        "playful": ("whimsical", "quirky"),
    },
    "mood": {
        "calm": ("serene", "peaceful"),
        "cheerful": ("sunny", "joyful"),
        "sombre": ("gloomy", "brooding"),
        "bold": ("daring", "striking"),
        "tender": ("gentle", "loving"),
    },
    "use": {
        "gift": ("present", "birthday"),
        "travel": ("journey", "suitcase"),
        "home": ("household", "living room"),
    },
}
NOUNS = ("piece", "object", "item", "find", "creation")
TITLES = ("{Style} {theme} {noun} in {material}", "{Mood} {theme} {noun}", "{Theme} {noun}, {style} and {mood}")
SENTENCES = (
    "A {mood} {noun} with {theme} motifs.",
    "Its {style} lines and {material} finish suit any {use}.",
    "Made of {material}, it brings {theme} charm to your {use}.",
    "The {style} look is {mood} without trying too hard.",
    "Ideal as a {use} companion for lovers of {theme} scenes.",
    "{Material} details give it a {mood}, {style} character.",
)
REMARKS = (
    "Ships within two days.",
    "Care instructions are enclosed.",
    "Colours may differ from one batch to the next.",
    "Our customers return to it year after year.",
    "Limited stock.",
)
SENTENCES_A_TEXT = 4


def write(attributes: dict[str, str], rng: np.random.Generator) -> tuple[str, str]:
    """Title and description of an item."""
    chosen = rng.permutation(len(SENTENCES))[:SENTENCES_A_TEXT]
    sentences = [_filled(SENTENCES[index], attributes, rng) for index in chosen]
    sentences.append(str(rng.choice(REMARKS)))
    return _filled(str(rng.choice(TITLES)), attributes, rng), " ".join(sentences)


def _filled(template: str, attributes: dict[str, str], rng: np.random.Generator) -> str:
    words = {name: str(rng.choice(WORDS[name][value])) for name, value in attributes.items()}
    words["noun"] = str(rng.choice(NOUNS))
    return template.format(**words, **{name.capitalize(): word.capitalize() for name, word in words.items()})

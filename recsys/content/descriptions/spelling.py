"""One spelling of what models write, so that `Live-Action!` and `live action` can be compared."""

import re
import unicodedata
from functools import cache

POSSESSIVE = re.compile(r"['\u2019]s\b")
# Of Latin, Greek and Cyrillic letters; the marks of other scripts tell words apart.
ACCENTS = re.compile("[\u0300-\u036f]")


@cache
def spelled(value: str) -> str:
    """A value without case, accents, punctuation and possessives: `Kid's Live-Action!` is `kid live action`.

    Letters, marks and digits of every script stay, and `&` is `and`.
    """
    text = unicodedata.normalize("NFKC", value).casefold().replace("&", " and ")
    text = ACCENTS.sub("", unicodedata.normalize("NFKD", POSSESSIVE.sub("", text)))
    kept = (letter if unicodedata.category(letter)[0] in "LMN" else " " for letter in text)
    return " ".join(unicodedata.normalize("NFKC", "".join(kept)).split())

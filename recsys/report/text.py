"""Text of a study as a page shows it: typeset, escaped, and folded where it is too long to be read at a glance."""

import re
import unicodedata

from markupsafe import Markup, escape

LONG = 300
"""Longer text is folded: a reader sees its beginning and opens the rest."""
BEGINNING = 160


def typeset(text: str) -> Markup:
    """Text as print has it: what stands between backticks as code, the rest with the figures of print."""
    parts = re.split(r"`([^`\n]+)`", str(escape(text)))
    return Markup("".join(f"<code>{part}</code>" if n % 2 else _figures(part) for n, part in enumerate(parts)))


def _figures(text: str) -> str:
    """A true minus, and no line break between a number and its unit."""
    minus = re.sub(r"(?<![\w-])-(?=\d)", "\u2212", text)
    return re.sub(r"(?<=\d) %|(?<=\bp) (?==|&lt;)|(?<==) (?=\d)|(?<=&lt;) (?=\d)", _unbroken, minus)


def _unbroken(match: re.Match[str]) -> str:
    return match.group().replace(" ", "\u00a0")


def collapsed(text: str, most: int = LONG) -> Markup:
    """The text, typeset; of one of more than `most` characters its beginning, with the whole to be opened."""
    if len(text) <= most:
        return typeset(text)
    return Markup('<details class="long"><summary>{}</summary>{}</details>').format(
        shortened(text, BEGINNING), typeset(text)
    )


def shortened(text: str, most: int = BEGINNING) -> str:
    """The text in one line of at most `most` characters, an ellipsis for the rest; without control characters."""
    line = " ".join(plain(text.replace("\n", " ")).split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"


def breakable(text: str | Markup) -> Markup:
    """The text, escaped, of which a long name such as `text_shuffled_untuned` breaks between its words."""
    return Markup(re.sub(r"(?<=\w)[_+/](?=\w)", r"\g<0><wbr>", str(escape(text))))


def setting(value: object) -> str:
    """A hyper-parameter as a person would write it, rounded to four digits: 0.7889, 44480, 3.1e-06."""
    if not isinstance(value, float):
        return str(value)
    rounded = float(f"{value:.4g}")
    return f"{rounded:.0f}" if 1e4 <= abs(rounded) < 1e7 else f"{rounded:.4g}"


def plain(text: str) -> str:
    """The text without control characters and marks of direction, for places that cannot isolate it."""
    return "".join(each for each in text if unicodedata.category(each) not in ("Cc", "Cf", "Cs"))

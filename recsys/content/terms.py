"""Texts of any script as terms that can be counted: words, and the pieces of words that others may share.

Where a script puts spaces between words, a word is a run of letters, marks and digits: the vowel signs of Devanagari
or Tamil are marks, and belong to their word. Its pieces are what compounds have in common (Holztisch, Tischlampe).
Chinese, Japanese, Thai, Lao, Khmer and Burmese write words without spaces between them: their terms are pairs of
characters, and a space that somebody did put between two words changes nothing.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import regex
from scipy import sparse
from sklearn.feature_extraction.text import CountVectorizer

UNSPACED = r"[\p{Script_Extensions=Han}\p{Script_Extensions=Hiragana}\p{Script_Extensions=Katakana}\p{Line_Break=SA}]"
"""Scripts without spaces between words; Line_Break=SA is Unicode's class of those of South East Asia."""
LETTERS = r"[\p{L}\p{M}\p{N}]"
# V1 is the version of the syntax that has intersections and differences of sets.
RUN = regex.compile(rf"(?V1)(?P<unspaced>[{LETTERS}&&{UNSPACED}]+)|[{LETTERS}--{UNSPACED}]+")
SPACE = regex.compile(rf"(?V1)(?<=[{LETTERS}&&{UNSPACED}])[\s\u200b]+(?=[{LETTERS}&&{UNSPACED}])")
HAN = regex.compile(r"\p{Han}")
CLUSTERS = regex.compile(r"\X")
# Accents of Latin, Greek and Cyrillic, and the optional vowels of Hebrew and Arabic: texts come with and without them.
OPTIONAL = regex.compile("[\u0300-\u036f\u0591-\u05c7\u0640\u064b-\u065f\u0670]")
# What only steers how a word is drawn or broken: soft hyphen, joiners, byte order mark.
INVISIBLE = regex.compile("[\u00ad\u200c\u200d\u2060\ufeff]")
PIECE = 4
"""Characters in a piece of a word; in Hangul 1, which is a syllable."""
HANGUL = regex.compile(r"\p{Hangul}")
PAIR = 2
"""Characters in a sequence of an unspaced script. Han, in which one character may be a word, counts singly too."""
UNSPACED_MARK, PIECE_MARK = "\x00", "\x01"
"""Put before a run of an unspaced script, and before a piece: neither is to be taken for a word."""


class Terms(NamedTuple):
    """How often terms stand in texts.

    Attributes:
        words: words, or pairs of characters where a script does not part words, shape (n_texts, n_words).
        pieces: pieces of words, shape (n_texts, n_pieces).
    """

    words: sparse.csr_array
    pieces: sparse.csr_array


def count_terms(texts: Sequence[str], leave_out: frozenset[str] = frozenset()) -> Terms:
    """Count the terms of texts.

    Args:
        texts: in any mixture of scripts.
        leave_out: words that do not count, in small letters without accents.
    """
    runs = CountVectorizer(analyzer=lambda text: [run for run in find_runs(text) if run not in leave_out])
    try:
        counts = sparse.csr_array(runs.fit_transform(texts))
    except ValueError:  # no text has a letter
        nothing = sparse.csr_array((len(texts), 0))
        return Terms(nothing, nothing)
    # The terms of a run are found once, however many texts it stands in.
    found = list(runs.get_feature_names_out())
    return Terms(counts @ _count([_words(run) for run in found]), counts @ _count([_pieces(run) for run in found]))


def find_runs(text: str) -> Iterator[str]:
    """Words, and unbroken runs of unspaced scripts (with `UNSPACED_MARK` before them), without case and accents.

    A single letter of an alphabet or a single digit is no word.
    """
    for run in RUN.finditer(SPACE.sub("", _plain(text))):
        word = run.group()
        if run["unspaced"]:
            yield UNSPACED_MARK + word
        elif len(word) > 1 or not (word.islower() or word.isdigit()):
            yield word


def _plain(text: str) -> str:
    """A text without case, accents, and differences in encoding that nobody sees."""
    letters = INVISIBLE.sub("", unicodedata.normalize("NFKC", text).casefold())
    return unicodedata.normalize("NFC", OPTIONAL.sub("", unicodedata.normalize("NFKD", letters)))


def _words(run: str) -> list[str]:
    if not run.startswith(UNSPACED_MARK):
        return [run]
    letters = CLUSTERS.findall(run[1:])
    single = [letter for letter in letters if HAN.match(letter) or len(letters) == 1]
    return single + _sequences(letters, PAIR)


def _pieces(run: str) -> list[str]:
    if run.startswith(UNSPACED_MARK):
        return []
    size = 1 if HANGUL.match(run) else PIECE
    return [PIECE_MARK + piece for piece in _sequences(CLUSTERS.findall(run), size)]


def _sequences(letters: list[str], n: int) -> list[str]:
    return ["".join(letters[start : start + n]) for start in range(len(letters) - n + 1)]


def _count(terms: list[list[str]]) -> sparse.csr_array:
    """How often each term stands in each list, shape (n_lists, n_terms)."""
    number: dict[str, int] = {}
    columns = [number.setdefault(term, len(number)) for each in terms for term in each]
    starts = np.cumsum([0, *map(len, terms)])
    counts = sparse.csr_array((np.ones(len(columns)), columns, starts), shape=(len(terms), len(number)))
    counts.sum_duplicates()
    return counts

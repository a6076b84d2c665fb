"""What vision-language models wrote about items: corpora read from files, answers parsed into fields, their values."""

from recsys.content.descriptions.answers import FIELDS, Compliance, parse, parse_corpus
from recsys.content.descriptions.corpus import Corpus, read_corpus
from recsys.content.descriptions.vocabulary import fields_of, value_sets, values, vocabulary

__all__ = [
    "FIELDS",
    "Compliance",
    "Corpus",
    "fields_of",
    "parse",
    "parse_corpus",
    "read_corpus",
    "value_sets",
    "values",
    "vocabulary",
]

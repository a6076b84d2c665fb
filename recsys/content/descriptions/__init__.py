"""What vision-language models wrote about items: corpora read from files, and answers parsed into fields."""

from recsys.content.descriptions.answers import FIELDS, Compliance, parse, parse_corpus, unwrap
from recsys.content.descriptions.corpus import Corpus, read_corpus

__all__ = ["FIELDS", "Compliance", "Corpus", "parse", "parse_corpus", "read_corpus", "unwrap"]

"""All folders of the corpus."""

from tests.corpus import delimited, files, names_and_ids, pictures, published, values
from tests.corpus.shop import FOLDERS, Folder, Truth

__all__ = ["FOLDERS", "Folder", "Truth", "delimited", "files", "names_and_ids", "pictures", "published", "values"]

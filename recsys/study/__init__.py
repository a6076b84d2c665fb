"""A study as data: its file, what is chosen and judged from its results, and the truth of a synthetic market."""

from recsys.study.file import load_study
from recsys.study.study import Study

__all__ = ["Study", "load_study"]

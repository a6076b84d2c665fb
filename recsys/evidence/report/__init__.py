"""The report of a study: its data model, its drawings, and one self-contained HTML file."""

from recsys.evidence.report.model import StudyReport
from recsys.evidence.report.render import render

__all__ = ["StudyReport", "render"]

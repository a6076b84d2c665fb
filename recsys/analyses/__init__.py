"""Analyses: one file each says what it needs, what it computes from stored results, and how that is shown.

An analysis never trains anything. It is found by its file, becomes the asset `<dataset>/analyses/<name>`, a section of
the report, and tables of the DuckDB file.
"""

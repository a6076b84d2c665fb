"""The report of a study: its data model, its drawings, and one self-contained HTML file.

Nothing is imported here: its data model is needed where loading the drawings would take too long.
"""

"""The Dagster code location: studies, storage, lineage, tracking, and the command line.

What belongs here: how a study's work is ordered, stored, tracked and shown. What does not: how anything is
computed (that is `recsys`).
"""

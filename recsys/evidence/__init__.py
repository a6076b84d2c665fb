"""Paired tests, lifts, controls, verdicts and the report."""

"""Tests of the evidence: comparisons, verdicts, the report."""

"""Paired comparisons, lifts, verdicts and gates: what scores of users say, whoever made them."""

"""Options for comparisons of which no test reads `p_users`."""

from recsys.evidence.comparison import ComparisonOptions

QUICK = ComparisonOptions(n_resamples=8)

"""A study as data: its file, what is chosen and judged from its results, and the truth of a synthetic market."""

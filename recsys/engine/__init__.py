"""Runs cells, in this process or side by side in worker processes: the same pure function in each."""

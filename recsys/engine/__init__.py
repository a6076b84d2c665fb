"""Where a list of work runs: this process or a local pool, the same pure function in each."""

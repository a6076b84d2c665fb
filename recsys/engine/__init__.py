"""Where a list of work runs: this process or a local pool, the same pure function in each.

The seam is one signature, `Engine` in `recsys.engine.pool`: another engine gives the same outcomes.
"""

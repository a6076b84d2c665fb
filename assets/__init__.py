"""What can be materialised, one file per kind; each names inputs, calls `recsys`, and hands back a record."""

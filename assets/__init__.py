"""What can be materialised, one file a kind; each names inputs, calls `recsys`, and hands back a record."""

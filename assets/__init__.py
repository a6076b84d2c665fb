"""What can be materialised, one file a kind; each reads its inputs, calls `recsys`, and hands back a result."""

"""From a fitted model to numbers: ranking, metrics per user, and metrics of whole lists."""

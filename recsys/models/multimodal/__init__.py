"""Models that take item content, whatever their mathematics."""

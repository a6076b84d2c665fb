"""A study's report: pages from tables and sections."""

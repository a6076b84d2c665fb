"""A study file for a user's own tables: which column is what, and which settings suit the data."""

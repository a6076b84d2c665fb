"""Linear item-item models with a closed form."""

"""Running trained encoders: their options, their weights, and the way from items to vectors that all of them share."""

"""Matrix factorisation, by decomposition, by least squares or by gradient."""

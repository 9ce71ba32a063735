"""At every call of a public estimator: are its arguments of the right kinds, and that it ran."""

"""How sure are we? Covariances, resampling, randomisation inference, multiplicity, pooling."""

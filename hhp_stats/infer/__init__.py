"""How sure are we? Resampling, randomisation inference, multiplicity, pooling."""

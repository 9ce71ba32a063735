"""How was the trial set up? Randomisation, detectable effects, balance."""

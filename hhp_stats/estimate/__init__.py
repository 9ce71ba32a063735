"""What is the effect? One module per family of estimators, on plain arrays and frames."""

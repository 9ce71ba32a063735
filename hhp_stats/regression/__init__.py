"""Least squares and its covariances, which every estimator and test rests on: model matrices, fits, clusters."""

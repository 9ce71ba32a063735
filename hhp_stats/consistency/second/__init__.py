"""The same number from another programme: what a planned result rests on, written down so that others can compute it.

`recipe` says what is estimated from which columns, `frames` holds those columns, `estimates` computes the result with
statsmodels or linearmodels, `check` compares, and `python` and `r` print the programme a reviewer runs. Nothing here is
shared with the estimators of the package: the recipes name columns, levels and covariances, never code.
"""

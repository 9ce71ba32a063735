"""The estimators on a plain data frame, by a formula: `import hhp_stats as hs` in a notebook.

What the studies of the report call takes arrays and a plan's terms; here the same functions take a frame and a
formula, in the manner of statsmodels, pyfixest and estimatr. Nothing is estimated here: `formula` makes the model,
the other modules hand it on.
"""

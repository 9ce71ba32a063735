"""Rows of the result frame become tables, figures and sentences. Rounding happens here and nowhere else."""

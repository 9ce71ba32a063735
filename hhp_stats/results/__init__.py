"""Estimates as rows: what each compares, whether it may be shown, who reads it."""

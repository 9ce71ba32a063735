"""Files of a project: where it begins, what may be replaced, what a killed command left, tables as CSV."""

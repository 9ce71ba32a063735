"""Processes of this package: work shared among cores, what ends with its parent, and who writes in a project now."""

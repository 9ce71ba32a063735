"""A study enters the project or leaves it: every file that is its own, and every place in a shared file that is about
it.
"""

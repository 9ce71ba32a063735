"""The calibrated synthetic release: raw files as authorities and the survey platform would send them.

To add a study: a module that turns its own `data/plan/synthetic_<study>.toml` into a `StudyFiles`
(relative path -> bytes, and the planted truth), and, if none of `release.GENERATORS` draws it, an entry there.
"""

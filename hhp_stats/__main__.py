"""`python -m hhp_stats` is the same as `hhp`."""

from hhp_stats.cli import main

main()

"""`python -m hhp_stats` is the same as `hhp`."""

import sys


def main() -> None:
    """Entry point of `hhp`; an interruption while the libraries are still being loaded is no traceback either."""
    try:
        from hhp_stats.cli import main as run
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted; nothing was left half-written.\n")
        sys.exit(130)
    run()


if __name__ == "__main__":
    main()

"""Before `quarto render`: bring the results of all studies up to date, so that the chapters only read them.

`hhp render` does this itself. The Quarto CLI runs this file with the Python it renders with.
"""

import sys

from hhp_stats.__main__ import main

if __name__ == "__main__":
    sys.argv = ["hhp", "results"]
    main()

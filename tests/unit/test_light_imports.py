"""What a rendering needs at once is loaded without the libraries that only estimators and figures need: to load them
takes longer than to write a chapter.
"""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("numpy", "pandas", "scipy", "statsmodels", "matplotlib", "great_tables", "openpyxl")


@pytest.mark.parametrize("module", ["hhp_stats.cli", "hhp_stats.running.run", "hhp_stats.publish.render"])
def test_loaded_without_the_libraries_of_estimators_and_figures(module: str) -> None:
    program = f"import sys, {module}; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout == "[]\n"

"""Writes software.csv: what R and gretl make of the public data of the validation cases. See SOURCE.md.

Run from the project: python tests/published/generate.py (needs R and gretlcli; the tests do not).
"""

import subprocess
import tempfile
from pathlib import Path

import pandas as pd

from hhp_stats.consistency.validation import data

HERE = Path(__file__).parent
SETS = ("petersen", "grunfeld", "spector", "married_women", "young_men")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name in SETS:
            # pandas writes the shortest decimals that read back to the same doubles.
            getattr(data, name)().to_csv(Path(folder) / f"{name}.csv", index=False, na_rep="NA")
        subprocess.run(["Rscript", str(HERE / "generate.R"), folder], check=True)
        script = (HERE / "generate.inp").read_text(encoding="utf-8").replace("FOLDER", folder)
        (Path(folder) / "run.inp").write_text(script, encoding="utf-8")
        printed = subprocess.run(["gretlcli", "-b", f"{folder}/run.inp"], check=True, capture_output=True, text=True)
        gretl = [
            line.removeprefix("ROW|").split("|") for line in printed.stdout.splitlines() if line.startswith("ROW|")
        ]
        r = pd.read_csv(Path(folder) / "r.csv")
        both = pd.concat([r, pd.DataFrame(gretl, columns=list(r.columns))], ignore_index=True)
        both.to_csv(HERE / "software.csv", index=False, lineterminator="\n")


if __name__ == "__main__":
    main()

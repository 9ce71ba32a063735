"""Writes data.csv (made-up people), runs gretl on it and on Mroz's data, and writes expected.csv.

Run from the project's root, with gretl installed: python tests/reference/heckman/generate.py
The data are drawn here once; the tests read the committed files and need no gretl.
"""

from __future__ import annotations

import csv
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from linearmodels.datasets import mroz

HERE = Path(__file__).parent

# case: (data, outcome terms, response terms, extra option)
CASES = {
    "mroz_two_step": ("mroz", "educ exper expersq", "nwifeinc educ exper expersq age kidslt6 kidsge6", "--two-step"),
    "mroz_ml": ("mroz", "educ exper expersq", "nwifeinc educ exper expersq age kidslt6 kidsge6", ""),
    "mroz_ml_cluster": (
        "mroz",
        "educ exper expersq",
        "nwifeinc educ exper expersq age kidslt6 kidsge6",
        "--cluster=team",
    ),
    "excluded_term": ("made", "treatment x1 x2", "treatment x1 x2 z", ""),
    "excluded_term_cluster": ("made", "treatment x1 x2", "treatment x1 x2 z", "--cluster=team"),
    "form_alone_two_step": ("made", "treatment x1 x2", "treatment x1 x2", "--two-step"),
    "form_alone_cluster": ("made", "treatment x1 x2", "treatment x1 x2", "--cluster=team"),
    "negative_rho_cluster": ("negative", "treatment x1 x2", "treatment x1 x2 z", "--cluster=team"),
}


def made(seed: int, rho: float) -> pd.DataFrame:
    """600 people in 40 teams, one of them a single person, two of them without any answer."""
    rng = np.random.default_rng(seed)
    team = np.concatenate([[0], rng.integers(1, 40, 599)])
    treatment = (team % 2).astype(float)
    x1, z = rng.normal(size=(2, 600))
    x2 = (rng.random(600) < 0.3).astype(float)
    u = rng.normal(size=600)
    e = rho * u + np.sqrt(1 - rho**2) * rng.normal(size=600) + 0.3 * rng.normal(size=40)[team]
    y = 1 + 0.3 * treatment + 0.5 * x1 - 0.4 * x2 + 1.2 * e
    answered = 0.4 + 0.2 * treatment + 0.9 * x1 - 0.5 * x2 + 0.7 * z + u > 0
    answered &= team > 2
    frame = pd.DataFrame(
        {
            "y": np.where(answered, y, np.nan),
            "d": answered.astype(int),
            "team": team,
            "treatment": treatment,
            "x1": x1,
            "x2": x2,
            "z": z,
        }
    )
    return frame.round(6)


def mroz_frame() -> pd.DataFrame:
    """Mroz's women with a made-up team of every fortieth, since the data have none."""
    frame = mroz.load()
    frame["y"] = np.log(frame["wage"].where(frame["inlf"] == 1))
    frame["d"] = frame["inlf"]
    frame["team"] = np.arange(len(frame)) % 40
    return frame[["y", "d", "team", "educ", "exper", "expersq", "nwifeinc", "age", "kidslt6", "kidsge6"]]


def main() -> None:
    frames = {"mroz": mroz_frame(), "made": made(1, 0.6), "negative": made(2, -0.7)}
    both = pd.concat([frames["made"].assign(data="made"), frames["negative"].assign(data="negative")])
    both.to_csv(HERE / "data.csv", index=False)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name, frame in frames.items():
            frame.to_csv(Path(folder) / f"{name}.csv", index=False, na_rep="NA", float_format="%.17g")
        for case, (data, outcome, response, option) in CASES.items():
            script = f"""
                set messages off
                set echo off
                set bfgs_toler 1e-15
                open {folder}/{data}.csv --quiet
                heckit y const {outcome} ; d const {response} {option} --quiet
                matrix b = $coeff
                matrix s = $stderr
                loop i=1..rows(b) --quiet
                    printf "%d %.15g %.15g\\n", i, b[i], s[i]
                endloop
                printf "rho %.15g\\nsigma %.15g\\n", $rho, $sigma
            """
            if option != "--two-step":
                script += 'printf "lnl %.15g\\n", $lnl\n'
            path = Path(folder) / "case.inp"
            path.write_text(script)
            run = subprocess.run(["gretlcli", "-b", "-q", str(path)], capture_output=True, text=True, check=False)
            if run.returncode:
                raise SystemExit(run.stdout)
            said = run.stdout
            outcome_names = ["intercept", *outcome.split()]
            names = [*outcome_names, "lambda", *(f"response:{x}" for x in ["intercept", *response.split()])]
            for line in said.splitlines():
                parts = line.split()
                if len(parts) == 3 and parts[0].isdigit():
                    rows.append([case, data, outcome, response, option, names[int(parts[0]) - 1], parts[1], parts[2]])
                elif len(parts) == 2 and parts[0] in ("rho", "sigma", "lnl"):
                    rows.append([case, data, outcome, response, option, parts[0], parts[1], ""])
    with (HERE / "expected.csv").open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["case", "data", "outcome_terms", "response_terms", "option", "quantity", "value", "std_error"])
        writer.writerows(rows)


if __name__ == "__main__":
    main()

"""Climbs the selection likelihood from several values of rho with gretl's `mle` and writes hills.csv: every maximum
met.

Run from the project's root, with gretl installed: python tests/reference/heckman/generate_hills.py
The likelihood is written out in gretl's language, derivatives are gretl's numerical ones. Mroz's wages, the made-up
people of data.csv with the same terms on both sides, and outcomes of the trial as its plan analyses them.
"""

from __future__ import annotations

import csv
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from heckman_cases import TRIAL_CASES, made_people, mroz_wages, trial_people

HERE = Path(__file__).parent
STARTS = (-0.9, -0.7, -0.5, 0.0, 0.5, 0.8, 0.95)


def script(folder: Path, outcome: int, response: int, option: str) -> str:
    """The outcome terms are x1, x2, ..., those of response z1, z2, ...; the second coefficient is that of interest."""
    lines = f"""
        set messages off
        set echo off
        set bfgs_toler 1e-14
        set bfgs_maxiter 2000
        open {folder}/people.csv --quiet
        list X = {" ".join(f"x{i}" for i in range(1, outcome + 1))}
        list Z = {" ".join(f"z{i}" for i in range(1, response + 1))}
        probit d Z --quiet
        matrix g0 = $coeff
        smpl d==1 --restrict
        ols y X --quiet
        matrix b0 = $coeff
        scalar s0 = log($sigma)
        smpl full
    """
    for start in STARTS:
        lines += f"""
        matrix g = g0
        matrix b = b0
        scalar ls = s0
        scalar a = atanh({start})
        catch mle ll = d ? (-ls - 0.5*log(2*$pi) - 0.5*e^2 + log(cnorm(cosh(a)*w + sinh(a)*e))) : log(cnorm(-w))
            series w = lincomb(Z, g)
            series e = (y - lincomb(X, b))/exp(ls)
            params g b a ls
        end mle {option} --quiet
        if !$error
            matrix c = $coeff
            matrix s = $stderr
            k = rows(c)
            j = nelem(Z) + 2
            printf "HILL %.10g %.10g %.10g %.10g %.10g %.10g\\n", $lnl, tanh(c[k-1]), c[j], s[j], exp(c[k]), exp(c[k])*s[k]
        endif
        """
    return lines


def climbed(outcome: pd.DataFrame, response: pd.DataFrame, y: np.ndarray, team: np.ndarray | None) -> list[list[float]]:
    """The maxima that gretl met, highest first: log likelihood, rho, effect, its error, sigma, its error."""
    frame = pd.DataFrame({"y": np.nan_to_num(y), "d": np.isfinite(y).astype(int)})
    if team is not None:
        frame["team"] = team
    for letter, columns in (("x", outcome), ("z", response)):
        for place, name in enumerate(columns, start=1):
            frame[f"{letter}{place}"] = columns[name].to_numpy()
    with tempfile.TemporaryDirectory() as folder:
        frame.to_csv(Path(folder) / "people.csv", index=False, float_format="%.17g")
        path = Path(folder) / "case.inp"
        option = "--hessian" if team is None else "--cluster=team"
        path.write_text(script(Path(folder), outcome.shape[1], response.shape[1], option))
        run = subprocess.run(["gretlcli", "-b", "-q", str(path)], capture_output=True, text=True, check=True)
    found: list[list[float]] = []
    for line in run.stdout.splitlines():
        if line.startswith("HILL"):
            hill = [float(value) for value in line.split()[1:]]
            if not any(abs(hill[0] - other[0]) < 1e-3 and abs(hill[1] - other[1]) < 1e-2 for other in found):
                found.append(hill)
    return sorted(found, reverse=True)


def main() -> None:
    cases = {"mroz_wages": mroz_wages(), "form_alone_cluster": made_people()}
    cases |= {f"trial:{key}": trial_people(key) for key in TRIAL_CASES}
    with (HERE / "hills.csv").open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["case", "log_likelihood", "rho", "estimate", "std_error", "sigma", "sigma_std_error"])
        for case, people in cases.items():
            for hill in climbed(people.outcome_terms, people.response_terms, people.y, people.team):
                writer.writerow([case, *(f"{value:.8g}" for value in hill)])


if __name__ == "__main__":
    main()

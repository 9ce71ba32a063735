"""Results in which nobody can tell the arms apart: for signing off the code before unblinding.

Arm A is one of the two arms and arm B the other; a secret seed decides which. Every difference is arm B minus arm A.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from hhp_stats.errors import InvalidInput
from hhp_stats.present.embed import svg_bytes
from hhp_stats.present.figures import forest
from hhp_stats.present.numbers import interval, level, number, p_clause
from hhp_stats.results import COLUMNS, LACKING

CONTRAST = "treatment minus control"
BLIND_CONTRAST = "arm B minus arm A"
ONE_ARM = re.compile(r"(?P<what>mean|sd|predicted)_(?P<arm>treatment|control)")
# Who took part, and what it cost, differ between the arms by design; bounds trim one named arm.
TELLING = ("cace", "ratio", "lower_bound", "upper_bound", "uptake")
_ARM_WORDS = re.compile(r"treat|control|goal.?setting|offer|uptake|complier|course", re.IGNORECASE)
WITHHELD = "withheld while blind"


@dataclass(frozen=True, slots=True, kw_only=True)
class Blinding:
    """Which arm is called what. Never written into what a blind reader gets."""

    arms: Mapping[str, str]  # "treatment" and "control" to "A" and "B"

    @property
    def flipped(self) -> bool:
        """Whether arm B minus arm A is control minus treatment."""
        return self.arms["treatment"] == "A"


def draw_blinding(*, seed: int) -> Blinding:
    """Which arm is A? A fair draw from `seed`, which must stay with who made the bundle. Refuses (InvalidInput) seed < 0."""
    if seed < 0:
        raise InvalidInput(f"a seed is a whole number from zero, not {seed}")
    flipped = bool(np.random.default_rng(np.random.SeedSequence(seed)).integers(2))
    return Blinding(arms={"treatment": "A", "control": "B"} if flipped else {"treatment": "B", "control": "A"})


def blinded_results(frame: pd.DataFrame, blinding: Blinding) -> pd.DataFrame:
    """The two-arm results of a frame with the arms called A and B, sorted by id.

    Differences change their sign where the arms are exchanged. Left out is what tells the arms apart whatever they
    are called: who took part, benefit-cost ratios, bounds, rows whose id names an arm, and contrasts of other designs
    than two arms. The numbers of people of single arms are blanked (they are published), and so are notes and
    descriptions of methods that name an arm.
    """
    rows = [row for each in frame.to_dict("records") if (row := _blinded(each, blinding)) is not None]
    blind = pd.DataFrame(rows, columns=list(COLUMNS)).sort_values("result_id", kind="stable", ignore_index=True)
    return blind.astype({"n": "Int64", "n_clusters": "Int64"})


def _blinded(row: Mapping[Any, Any], blinding: Blinding) -> dict[str, Any] | None:
    new = {str(key): value for key, value in row.items()}
    if new["estimand"] in TELLING:
        return None
    arm = ONE_ARM.fullmatch(str(new["estimand"]))
    if arm is not None:
        named = f"{arm['what']}_{blinding.arms[arm['arm']].lower()}"
        study, outcome, _, *rest = str(new["result_id"]).split("/")
        new |= {"result_id": "/".join([study, outcome, named, *rest]), "estimand": named, "n": pd.NA,
                "n_clusters": pd.NA, "contrast": f"arm {blinding.arms[arm['arm']]}"}  # fmt: skip
    elif new["contrast"] == CONTRAST:
        new["contrast"] = BLIND_CONTRAST
        if blinding.flipped and new["estimand"] not in ("rho", "omnibus"):  # these have no direction
            low, high = -new["conf_high"], -new["conf_low"]
            new |= {"estimate": -new["estimate"], "statistic": -new["statistic"], "conf_low": low, "conf_high": high}
    else:
        return None
    own = str(new["result_id"]).split("/", 1)[1]
    if _ARM_WORDS.search(own):
        return None
    for column in ("method", "note", "population"):
        if _ARM_WORDS.search(str(new[column])):
            new[column] = WITHHELD
    return new


def _planned(blind: pd.DataFrame) -> pd.DataFrame:
    return blind.loc[(blind["analysis"] == "planned") & (blind["estimand"] == "itt")]


def blind_summary(blind: pd.DataFrame, *, picture: str = "") -> str:
    """The planned differences in neutral words, as Markdown: where it is higher, by how much, how sure.

    `picture` is the name of the file that `blind_figure` made; its alternative text are the same words.
    """
    lines = ["# Planned analyses, blind", "", "Differences are arm B minus arm A.", ""]
    said = {str(row["result_id"]): _sentence(row) for row in _planned(blind).to_dict("records")}
    lines += [f"- `{result_id}`: {sentence}" for result_id, sentence in said.items()]
    if picture:
        words = " ".join(f"{result_id} {sentence}" for result_id, sentence in said.items())
        lines += ["", f"![Planned differences in standard errors. {words}]({picture})"]
    return "\n".join([*lines, ""])


def blind_figure(blind: pd.DataFrame) -> bytes:
    """The planned differences with their intervals as SVG, all in their own standard errors, arm B minus arm A."""
    rows = _planned(blind).reset_index(drop=True)
    for column in ("estimate", "conf_low", "conf_high"):
        rows[column] = rows[column] / rows["std_error"]
    figure = forest(rows, labels=list(rows["result_id"]), unit="")
    figure.axes[0].set_xlabel("Arm B minus arm A, in standard errors")
    return svg_bytes(figure)


def _sentence(row: Mapping[Any, Any]) -> str:
    if row["status"] in LACKING:
        return "could not be estimated."
    where = "higher in arm B" if row["estimate"] > 0 else "higher in arm A" if row["estimate"] < 0 else "the same"
    reach = interval(row["conf_low"], row["conf_high"])
    clear = "a clear difference" if row["conf_low"] > 0 or row["conf_high"] < 0 else "no clear difference"
    return (
        f"{where}, by {number(abs(row['estimate']))} ({level(row['conf_level'])} CI {reach}, "
        f"{p_clause(row['p_value'])}): {clear}."
    )

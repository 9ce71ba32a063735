"""Results in which nobody can tell the arms apart: for signing off the code before unblinding.

In every trial of two arms, arm A is one of the two and arm B the other; a secret seed decides which, for each trial by
itself, so that who learns the arms of one trial knows nothing of the others. Every difference is arm B minus arm A.

A blind reader may know the protocol: how many people or teams are in which arm, and of what kind an outcome is.
Therefore

- only what `hhp_stats.results.contrast` calls a signed difference of the arms turns its sign; what has no direction
  stands;
- numbers of people, degrees of freedom, standard errors and standard deviations of single arms are withheld;
- a number is rounded to the second digit of its standard error. At full precision a mean of whole numbers, or a
  difference with its standard error, shows by what numbers of people it was divided, and so which arm is the larger;
- the means of the two arms stand as A and B, rounded to about half their standard error, alike in both arms; those of
an
  outcome of yes and no are withheld, since a share gives its own variance and that, with the standard error of the
  difference, tells an arm of many people from one of few;
- bounds and their middle are withheld: trimming one arm moves them to one side;
- notes are withheld: they are free text.

What is withheld is counted by trial and reason (`withheld_counts`).
"""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, get_type_hints

import numpy as np
import pandas as pd

from hhp_stats.errors import InvalidInput
from hhp_stats.present.figures import forest
from hhp_stats.present.numbers import interval, level, number, p_clause
from hhp_stats.present.svg import svg_bytes
from hhp_stats.results.contrast import (
    ARMS,
    BOUND,
    COMPLIERS,
    CONTROL,
    MIDDLE,
    NONE,
    ODDS,
    TAKING_PART,
    TREATMENT,
    stands,
    turns,
)
from hhp_stats.results.frame import COLUMNS, LACKING, ResultRow

BLIND_CONTRAST = "arm B minus arm A"
BLIND_CHANGE = "change of arm B minus arm A"
WITHHELD = "withheld while blind"

OTHER_DESIGN = "the study does not compare two arms"
COUNTS = "numbers and shares of people"
ONE_ARM = "spread, probability or number of people of a single arm"
SHARE = "means of the arms of an outcome of yes and no"
HALF = "mean of an arm without the mean and spread of the other"
PART = "who took part, and the effect on them"
LIMITS = "bounds, which trim or fill one arm"
OF_ODDS = "ratio of the two arms"
OTHER = "no difference of the two arms, or across trials"
_REASONS = {
    NONE: COUNTS,
    COMPLIERS: PART,
    TAKING_PART: PART,
    BOUND: LIMITS,
    MIDDLE: LIMITS,
    ODDS: OF_ODDS,
    CONTROL: ONE_ARM,
    TREATMENT: ONE_ARM,
}
_ARM_WORDS = re.compile(r"\btreat|\bcontrol", re.IGNORECASE)
_CHARACTERISTIC = 2  # digits of a standard error that are kept
_ON_THE_SCALE = ("estimate", "conf_low", "conf_high", "std_error")
# Whatever else a row holds in numbers, p values and errors of simulation among them: a new column is rounded too.
_OTHER_NUMBERS = tuple(
    name
    for name, kind in get_type_hints(ResultRow).items()
    if kind is float and name not in (*_ON_THE_SCALE, "df", "statistic", "conf_level")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Blinding:
    """Which arm is called what, by study. Never written into what a blind reader gets."""

    arms: Mapping[str, Mapping[str, str]]  # study: "treatment" and "control" to "A" and "B"

    def flipped(self, study: str) -> bool:
        """Whether in this study arm B minus arm A is control minus treatment."""
        return self.arms[study][TREATMENT] == "A"

    def exchanged(self) -> Blinding:
        """The opposite naming in every study."""
        return _naming({study: not self.flipped(study) for study in self.arms})


def _naming(flipped: Mapping[str, bool]) -> Blinding:
    names = {True: {TREATMENT: "A", CONTROL: "B"}, False: {TREATMENT: "B", CONTROL: "A"}}
    return Blinding(arms={study: names[turned] for study, turned in sorted(flipped.items())})


def draw_blinding(studies: Iterable[str], *, seed: int) -> Blinding:
    """Which arm is A? One fair draw a study from `seed`, which must stay with who made the bundle.

    A study's draw does not depend on which other studies there are. Raises InvalidInput for a negative seed.
    """
    if seed < 0:
        raise InvalidInput(f"a seed is a whole number from zero, not {seed}")

    def drawn(study: str) -> bool:
        stream = np.random.SeedSequence([seed, zlib.crc32(study.encode())])
        return bool(np.random.default_rng(stream).integers(2))

    return _naming({study: drawn(study) for study in studies})


def two_armed(frame: pd.DataFrame) -> tuple[str, ...]:
    """The studies of a result frame that compare two arms, sorted."""
    return tuple(sorted(frame.loc[frame["contrast"] == ARMS, "study"].unique()))


@dataclass(frozen=True, slots=True, kw_only=True)
class BlindResults:
    """What a blind reader gets: rows in the columns of the result frame, and how many are withheld for which reason."""

    results: pd.DataFrame
    withheld: pd.DataFrame  # study, reason, results

    def kept(self) -> tuple[str, ...]:
        """The ids of results whose code a blind reader may look up: those that stand under their own name."""
        return tuple(self.results.loc[~self.results["estimand"].isin(("mean_a", "mean_b")), "result_id"])


def blinded_results(frame: pd.DataFrame, blinding: Blinding) -> BlindResults:
    """A result frame as a blind reader may see it, sorted by id; see the module for what is turned, kept and
    withheld.
    """
    rows: list[dict[str, Any]] = []
    withheld: list[tuple[str, str]] = []
    units = _units_of_means(frame)
    for row in frame.to_dict("records"):
        made = _blinded({str(key): value for key, value in row.items()}, blinding, units)
        if isinstance(made, str):
            withheld.append((str(row["study"]), made))
        else:
            rows.append(made)
    blind = pd.DataFrame(rows, columns=list(COLUMNS)).sort_values("result_id", kind="stable", ignore_index=True)
    counted = pd.DataFrame(withheld, columns=["study", "reason"]).value_counts().reset_index(name="results")
    return BlindResults(
        results=blind.astype({"n": "Int64", "n_clusters": "Int64"}),
        withheld=counted.sort_values(["study", "reason"], ignore_index=True),
    )


def _blinded(row: dict[str, Any], blinding: Blinding, units: Mapping[str, float | str]) -> dict[str, Any] | str:
    """The row as a blind reader sees it, or why not."""
    study, contrast = row["study"], row["contrast"]
    if study not in blinding.arms:
        return OTHER_DESIGN
    if str(row["estimand"]) == f"mean_{contrast}" and contrast in (CONTROL, TREATMENT):
        unit = units.get(f"{study}/{row['outcome']}", HALF)
        if isinstance(unit, str) or row["status"] in LACKING:
            return unit if isinstance(unit, str) else HALF
        return _lettered(row, blinding.arms[study][contrast], unit)
    if _ARM_WORDS.search(row["result_id"].split("/", 1)[1]):
        return _REASONS.get(contrast, ONE_ARM)
    if not (turns(contrast) or stands(contrast)):
        return _REASONS.get(contrast, OTHER)
    new = _rounded(_silent(row))
    if turns(contrast):
        new["contrast"] = BLIND_CONTRAST if contrast == ARMS else BLIND_CHANGE
        if blinding.flipped(study):
            low, high = new["conf_low"], new["conf_high"]
            new |= {"estimate": -new["estimate"], "statistic": -new["statistic"], "conf_low": -high, "conf_high": -low}
    # A zero has a sign of its own in floating point, and a text file shows it.
    return new | {name: new[name] + 0.0 for name in ("estimate", "statistic", "conf_low", "conf_high")}


def _silent(row: Mapping[str, Any]) -> dict[str, Any]:
    """Without what is free text or tells the sizes of arms."""
    new = dict(row) | {"note": WITHHELD if row["note"] else "", "df": math.nan}
    for column in ("method", "population"):
        if _ARM_WORDS.search(str(new[column])):
            new[column] = WITHHELD
    return new


def _rounded(row: dict[str, Any]) -> dict[str, Any]:
    """Every number to the second digit of the standard error, or of a quarter of the interval, or of the number
    itself.
    """
    error, low, high = (float(row[name]) for name in ("std_error", "conf_low", "conf_high"))
    spread = high - low
    estimate = abs(float(row["estimate"]))
    scale = error if error > 0 else spread / 4 if math.isfinite(spread) and spread > 0 else math.nan
    if stands(row["contrast"]):
        # No side to hide, but a correlation or a size at full precision would let a reader solve for the rest.
        decimals = _decimals(estimate, digits=4)
    else:
        decimals = _decimals(scale if scale > 0 else estimate, digits=_CHARACTERISTIC)
    new = dict(row)
    for name in _ON_THE_SCALE:
        new[name] = round(float(row[name]), decimals) if math.isfinite(row[name]) else float(row[name])
    if new["std_error"] == 0:
        new["std_error"] = math.nan  # none was estimated
    new["statistic"] = round(float(row["statistic"]), 1) if math.isfinite(row["statistic"]) else math.nan
    for name in _OTHER_NUMBERS:
        value = float(row[name])
        new[name] = round(value, _decimals(value, digits=_CHARACTERISTIC)) if 0 < value < math.inf else value
    return new


def _decimals(size: float, *, digits: int) -> int:
    """Decimals that leave so many digits of a number."""
    return digits - 1 - math.floor(math.log10(size)) if size > 0 and math.isfinite(size) else digits


def _lettered(row: Mapping[str, Any], letter: str, unit: float) -> dict[str, Any]:
    """The mean of one arm under its letter, in whole units."""
    named = f"mean_{letter.lower()}"
    study, outcome, _, *rest = str(row["result_id"]).split("/")
    # Where it was made, its method and its people are the same in both arms; everything else could tell them apart.
    return dict(row) | {
        "result_id": "/".join([study, outcome, named, *rest]),
        "estimand": named,
        "contrast": f"arm {letter}",
        "estimate": round(round(float(row["estimate"]) / unit) * unit, 12) + 0.0,
        "n": pd.NA,
        "n_clusters": pd.NA,
        "note": "",
        "status": "descriptive",
        "method": f"mean of the arm, to {unit:g}",
        **dict.fromkeys((*_ON_THE_SCALE[1:], "df", "statistic", *_OTHER_NUMBERS), math.nan),
    }


def _units_of_means(frame: pd.DataFrame) -> dict[str, float | str]:
    """By study and outcome, in which unit the means of both arms may be shown, or why they may not.

    1, 2 or 5 times a power of ten, at least half the larger standard error of the two: coarser than the step from one
    possible mean of whole numbers to the next, and the same for both arms.
    """
    found: dict[str, float | str] = {}
    arms = frame.loc[frame["contrast"].isin((CONTROL, TREATMENT)) & ~frame["status"].isin(LACKING)]
    for (study, outcome), rows in arms.groupby(["study", "outcome"]):
        by = {str(row["estimand"]): row for row in rows.to_dict("records")}
        pairs = [(by.get(f"mean_{arm}"), by.get(f"sd_{arm}")) for arm in (CONTROL, TREATMENT)]
        errors = []
        for mean, sd in pairs:
            if mean is None or sd is None or pd.isna(mean["n"]):
                break
            m, s, n = float(mean["estimate"]), float(sd["estimate"]), int(mean["n"])
            if n < 2 or s == 0 or math.isclose(s * s * (n - 1), m * (1 - m) * n, rel_tol=1e-6):
                found[f"{study}/{outcome}"] = SHARE
            errors.append(s / math.sqrt(n))
        else:
            found.setdefault(f"{study}/{outcome}", _unit(max(errors) / 2))
    return found


def _unit(least: float) -> float:
    if not least > 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(least))
    return next(round(step * power, 12) for step in (1, 2, 5, 10) if step * power >= least * (1 - 1e-9))


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
    rows = _planned(blind).loc[lambda frame: frame["std_error"] > 0].reset_index(drop=True)
    for column in ("estimate", "conf_low", "conf_high"):
        rows[column] = rows[column] / rows["std_error"]
    title = "Arm B minus arm A, in standard errors"
    return svg_bytes(forest(rows, labels=list(rows["result_id"]), unit="standard errors", title=title))


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

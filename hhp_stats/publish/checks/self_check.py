"""Does our own result frame hang together? Every p-value and interval against estimate, standard error and df.

The frame is written by many estimators; here each row is recomputed from itself, so that a slip in one of them, or an
edited file, cannot reach the report. Pages are checked by `page_check`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from hhp_stats.errors import SelfCheckFailed
from hhp_stats.files.remember import Remember, make_again
from hhp_stats.publish.checks.mark_check import check_marks
from hhp_stats.publish.checks.page_check import PageCheck, check_pages
from hhp_stats.results.frame import LACKING, read_results
from hhp_stats.results.withheld import WITHHELD
from hhp_stats.studies.output import FOLDER, read_table
from hhp_stats.tails import chi2_tail, student_quantile, student_tail

__all__ = ["EXEMPT", "FrameCheck", "PageCheck", "check_flow", "check_pages", "check_report", "check_results"]

# Methods whose interval or p-value is not estimate +- t * std_error, by words of their `method`; each with its reason.
EXEMPT: Mapping[str, str] = {
    "joint test, D1": "an F test of several differences",
    "wild cluster bootstrap": "p-value and interval come from resampled signs of the teams' residuals",
    "too few degrees of freedom for an interval": (
        "nearly all variance is between imputations: the interval is the whole line"
    ),
    "joint bootstrap": "percentile interval",
    "randomisation inference": "p-value and interval come from redrawn allocations",
    "re-randomisations by the design's own rule": "the p-value comes from further draws by the trial's own rule",
    "Swiger": "the interval is Swiger's, around a variance that follows from the correlation itself",
    "Westfall-Young": "p-values come from redrawn allocations",
    "Anderson-Rubin": "the interval is the set of effects that the reduced forms do not reject",
    "odds ratio": "the interval is made on the scale of the logarithm",
    "Fieller": "the interval is a set of ratios, perhaps unbounded",
    "Imbens-Manski": "the interval covers a range of estimates",
    "profile interval": "the interval follows the likelihood",
    "penalised profile likelihood": "interval and p-value follow the penalised likelihood",
    "intracluster correlation, analysis of variance": "the interval is made of quantiles of F",
    "exact binomial interval": "the interval is made of quantiles of the beta distribution",
    "correlation of the errors": "the interval is made on Fisher's scale",
    "end-points substituted": "the interval combines those of two other rows, as the protocol prints it",
}
_CLOSE = 1e-8  # of a standard error; the frame holds full doubles, and quantiles of t are good to about 1e-12
_P_CLOSE = 1e-9  # absolute; besides a millionth of p, since tails below 1e-12 keep fewer digits


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameCheck:
    """What was checked in a result frame; that nothing was found is the meaning of its existence."""

    rows: int
    p_values: int
    intervals: int
    exempt: Mapping[str, str]  # result id: reason
    rates: int  # descriptive shares held against their counts


def check_report(root: Path, pages: Path | None, *, remember: Remember = make_again) -> tuple[FrameCheck, PageCheck]:
    """Is everything that is about to be published consistent with itself: results, participant flows, pages?

    `pages` is the folder of rendered pages; results and flows are read below `.report/results/`. A book without pages
    (a PDF alone) is checked in its results, and so is one whose pages are of another make: for those `pages` is None.
    Refuses (SelfCheckFailed) what `check_results`, `check_flow`, `check_pages` and `check_marks` refuse.
    """
    folder = root / FOLDER
    frame = read_results(folder / "results.csv")
    found = check_results(frame)
    for study in dict.fromkeys(str(name) for name in frame["study"]):
        flow = folder / study / "flow.csv"
        if flow.is_file():
            check_flow(read_table(flow), frame, study=study)
    if pages is None or not any(pages.glob("*.html")):
        return found, PageCheck(pages=0, estimates=0, shares=0, sentences=0)
    return found, replace(
        check_pages(pages, exempt=found.exempt, remember=remember), marks=check_marks(pages, frame, remember=remember)
    )


def check_results(frame: pd.DataFrame) -> FrameCheck:
    """Does every p-value and interval follow from its row's estimate, std_error and df?

    statistic = estimate / std_error, p = 2 (1 - T(|statistic|)), interval = estimate +- t(1 - alpha/2) std_error, with
    Student's t on df (normal where df is infinite); chi-squared rows from statistic and df. Rows of the methods in
    `EXEMPT` are held only to what holds for any method: p within 0 to 1, the estimate inside its interval. Adjusted
    p-values are at least the unadjusted. Shares named response_rate are their count over n.

    Refuses (SelfCheckFailed, naming every result id) a frame with a disagreement.
    """
    found: list[str] = []
    exempt: dict[str, str] = {}
    tested = reached = 0
    rows = frame.to_dict("records")
    for row in rows:
        if row["status"] in LACKING:
            continue
        reason = next((why for words, why in EXEMPT.items() if words in row["method"]), "")
        if reason:
            exempt[str(row["result_id"])] = reason
        problems = list(_anywhere(row)) + ([] if reason else list(_by_itself(row)))
        found += [f"{row['result_id']}: {problem}" for problem in problems]
        tested += not reason and not math.isnan(row["p_value"])
        reached += not reason and not math.isnan(row["conf_low"])
    rates = list(_rates(rows))
    found += [problem for problem in rates if problem]
    if found:
        raise SelfCheckFailed("the results contradict themselves", found)
    return FrameCheck(rows=len(rows), p_values=tested, intervals=reached, exempt=exempt, rates=len(rates))


def check_flow(flow: pd.DataFrame, frame: pd.DataFrame, *, study: str) -> int:
    """Do the numbers analysed agree with the participant flow of their study? Returns how many were compared.

    `flow`: columns stage, arm, label, people, kind and perhaps teams, as studies write it. The arms add up to those
    randomised; no stage of an arm exceeds its number; each stage is the one before less its losses; and no result of
    the study rests on more people, or more teams, than were randomised.

    A flow with columns experiment, condition, people, rows, answered is that of an experiment in which a person gives
    one or more rows: no result of the experiment rests on more rows or people than its conditions hold together.

    What is withheld is not known here and compared with nothing. Refuses (SelfCheckFailed) a disagreement.
    """
    if "stage" not in flow.columns:
        return _check_conditions(flow, frame, study=study)
    found: list[str] = []
    whole = flow[(flow["stage"] == "randomised") & (flow["kind"] == "stage")]
    arms = flow[(flow["stage"] == "allocated") & (flow["kind"] == "stage")]
    if len(whole) != 1 or arms.empty:
        raise SelfCheckFailed(f"{study}: the flow has no line of those randomised, or none by arm", [])
    sizes = [name for name in ("people", "teams") if name in flow.columns]
    limits = {name: int(whole.iloc[0][name]) for name in sizes if whole.iloc[0][name] != WITHHELD}
    for name, most in limits.items():
        if not (arms[name] == WITHHELD).any() and int(arms[name].sum()) != most:
            found.append(f"{study}: the arms of the flow add to {int(arms[name].sum())} {name}, {most} were randomised")
    for arm, part in flow[flow["arm"] != "all"].groupby("arm", sort=False):
        found += [f"{study}, {arm}: {problem}" for problem in _stages(part)]
    compared = 0
    for row in frame[frame["study"] == study].to_dict("records"):
        for column, name in (("n", "people"), ("n_clusters", "teams")):
            if name not in limits or pd.isna(row[column]) or row["outcome"] == "power":
                continue
            compared += 1
            if int(row[column]) > limits[name]:
                found.append(
                    f"{row['result_id']}: {column} is {int(row[column])}, but {limits[name]} {name} were randomised"
                )
    found += list(_arms_of_results(flow, frame, study))
    if found:
        raise SelfCheckFailed("results and participant flow disagree", found)
    return compared


def _check_conditions(flow: pd.DataFrame, frame: pd.DataFrame, *, study: str) -> int:
    found = [
        f"{study}, {row['condition']}: {row['answered']} answered of {row['rows']} rows of {row['people']} people"
        for row in flow.to_dict("records")
        if WITHHELD not in row.values() and (not row["answered"] <= row["rows"] or row["people"] > row["rows"])
    ]
    limits: dict[str, dict[str, int]] = {}
    for row in flow.to_dict("records"):
        if WITHHELD in row.values():
            continue
        of = limits.setdefault(str(row["experiment"]), {"people": 0, "rows": 0})
        of["people"], of["rows"] = of["people"] + int(row["people"]), of["rows"] + int(row["rows"])
    whole_flow = {str(name): not (part == WITHHELD).any(axis=None) for name, part in flow.groupby("experiment")}
    compared = 0
    for row in frame[(frame["study"] == study) & frame["outcome"].isin(list(limits))].to_dict("records"):
        for column, name in (("n", "rows"), ("n_clusters", "people")):
            if pd.isna(row[column]) or whole_flow.get(str(row["outcome"]), True) is False:
                continue
            compared += 1
            most = limits[str(row["outcome"])][name]
            if int(row[column]) > most:
                found.append(
                    f"{row['result_id']}: {column} is {int(row[column])}, but the conditions hold {most} {name}"
                )
    if found:
        raise SelfCheckFailed("results and participant flow disagree", found)
    return compared


def _stages(part: pd.DataFrame) -> Iterator[str]:
    """Each stage is the one before less the losses between them; notes count people inside a stage.

    The endline survey is a branch of its own: its respondents are held only against the arm's number.
    """
    left: int | None = None
    size = 0
    lost = 0
    losses = False
    for row in part.to_dict("records"):
        if row["people"] == WITHHELD:
            if row["kind"] != "note":
                left, lost, losses = None, 0, row["kind"] == "loss"
            continue
        people = int(row["people"])
        size = size or people
        if people > size:
            yield f"{row['label']}: {people} people, more than the {size} of the arm"
        if row["kind"] == "loss":
            lost, losses = lost + people, True
        elif row["kind"] == "stage":
            if left is not None and losses and left - lost != people:
                yield f"{row['label']}: {people} people, but {left} less {lost} is {left - lost}"
            left, lost, losses = people, 0, False


def _arms_of_results(flow: pd.DataFrame, frame: pd.DataFrame, study: str) -> Iterator[str]:
    """The arms' numbers behind the means of an outcome that the flow names, and their sum in the planned analysis."""
    own = {
        str(row["result_id"]): row
        for row in frame[(frame["study"] == study) & ~frame["status"].isin(LACKING)].to_dict("records")
    }
    own = {key: row for key, row in own.items() if not pd.isna(row["n"])}
    for outcome in dict.fromkeys(str(row["outcome"]) for row in own.values()):
        ids = [f"{study}/{outcome}/mean_{arm}/raw" for arm in ("control", "treatment")]
        whole = f"{study}/{outcome}/itt/hc2"
        if not all(key in own for key in (*ids, whole)):
            continue
        total = sum(int(own[key]["n"]) for key in ids)
        if total != int(own[whole]["n"]):
            yield f"{whole}: n is {int(own[whole]['n'])}, but the arms have {total}"
    named = flow[
        (flow["kind"] == "stage") & (flow["stage"] == "analysed") & flow["label"].str.contains("primary outcome")
    ]
    planned = [row for row in own.values() if row["analysis"] == "planned" and row["estimand"] == "itt"]
    if not named.empty and planned and not (named["people"] == WITHHELD).any():
        first, people = planned[0], int(named["people"].sum())
        if int(first["n"]) != people:
            yield f"{first['result_id']}: n is {int(first['n'])}, but the flow has {people} analysed"


def _anywhere(row: Mapping[Any, Any]) -> Iterator[str]:
    """What holds for any method."""
    for name in ("p_value", "p_adjusted"):
        if not math.isnan(row[name]) and not 0 <= row[name] <= 1:
            yield f"{name} is {row[name]}"
    if row["p_adjusted"] < row["p_value"] - 1e-12:
        yield f"p_adjusted {row['p_adjusted']:.6g} is below p_value {row['p_value']:.6g}"
    if row["conf_low"] > row["estimate"] or row["conf_high"] < row["estimate"]:
        yield (
            f"the interval {row['conf_low']:.6g} to {row['conf_high']:.6g} leaves out the estimate"
            f" {row['estimate']:.6g}"
        )
    if not pd.isna(row["n_clusters"]) and not pd.isna(row["n"]) and row["n_clusters"] > row["n"]:
        yield f"{row['n_clusters']} clusters of {row['n']} people"


def _by_itself(row: Mapping[Any, Any]) -> Iterator[str]:
    """Statistic, p-value and interval recomputed."""
    p, df, statistic = (float(row[name]) for name in ("p_value", "df", "statistic"))
    claims = not math.isnan(p) or not math.isnan(row["conf_low"]) or not math.isnan(row["conf_high"])
    if "chi-squared" in row["method"]:
        yield from _p_problem(p, chi2_tail(statistic, df), "statistic and df")
        return
    if not claims:
        return
    std_error, estimate = float(row["std_error"]), float(row["estimate"])
    if not std_error > 0 or not df > 0:
        yield f"a p-value or interval without std_error and df (std_error {std_error}, df {df})"
        return
    # A mean with its interval tests nothing: no statistic, no p-value.
    tests = not math.isnan(p) or not math.isnan(statistic)
    if tests and not math.isclose(statistic, estimate / std_error, rel_tol=_CLOSE, abs_tol=_CLOSE):
        yield f"statistic is {statistic:.6g}, estimate / std_error is {estimate / std_error:.6g}"
    if not math.isnan(p):
        yield from _p_problem(p, float(2 * student_tail(abs(estimate / std_error), df)), "estimate, std_error and df")
    reach = float(student_quantile(0.5 + float(row["conf_level"]) / 2, df)) * std_error
    for name, end in (("conf_low", estimate - reach), ("conf_high", estimate + reach)):
        if not abs(float(row[name]) - end) <= _CLOSE * std_error * max(1.0, reach / std_error):
            yield f"{name} is {row[name]:.6g}, estimate, std_error and df give {end:.6g}"


def _p_problem(given: float, computed: float, source: str) -> Iterator[str]:
    if not abs(given - computed) <= _P_CLOSE + 1e-6 * computed:
        yield f"p_value is {given:.6g}, {source} give {computed:.6g}"


def _rates(rows: Sequence[Mapping[Any, Any]]) -> Iterator[str]:
    """sample/response_rate_x against sample/responded_x over its n: a problem in words, or ""."""
    by_id = {str(row["result_id"]): row for row in rows}
    for key, row in by_id.items():
        counted = by_id.get(key.replace("/response_rate", "/responded"))
        if "/response_rate" not in key or counted is None or "withheld" in (row["status"], counted["status"]):
            continue
        share = float(counted["estimate"]) / float(row["n"])
        agree = math.isclose(share, float(row["estimate"]), rel_tol=1e-9)
        yield "" if agree else f"{key}: {row['estimate']:.6g}, but {counted['estimate']:g} of {row['n']} is {share:.6g}"

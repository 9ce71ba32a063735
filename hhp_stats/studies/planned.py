"""One planned analysis of any study: the rows it gives, each with what made it, or one that says why it gave none."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hhp_stats.calls.ran import name_of, recorded, source_of
from hhp_stats.plan.conduct import Conduct
from hhp_stats.plan.schema import PlannedAnalysis, StudyPlan
from hhp_stats.results.contrast import contrast_of
from hhp_stats.results.frame import NOT_ALLOWED, Estimate, ResultRow, not_estimated
from hhp_stats.studies.estimators import ESTIMATORS
from hhp_stats.studies.estimators.analysis_data import AnalysisData
from hhp_stats.studies.estimators.beside import beside_effect

Estimates = Mapping[str, Estimate]  # by estimand; "" is the effect itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """Rows of one planned analysis (the effect first) and what was done."""

    rows: tuple[ResultRow, ...]
    conduct: tuple[Conduct, ...]

    @property
    def row(self) -> ResultRow:
        """The row of the effect."""
        return self.rows[0]


def sibling(result_id: str, estimand: str) -> str:
    """The id of another estimand of the same analysis; the analysis's own where `estimand` is empty.

    `estimand` may name a method of its own, as in `cace/iv-anderson-rubin`. What stands beside the effect of a
    subgroup, or of one arm of several, carries the tail of its name.
    """
    study, outcome, effect, method = result_id.split("/")
    if "/" in estimand:
        return f"{study}/{outcome}/{estimand}"
    return f"{study}/{outcome}/{f'{estimand}{tail_of(effect)}' if estimand else effect}/{method}"


EFFECTS = ("itt", "cace")  # of the offer, and of taking it up


def tail_of(effect: str) -> str:
    """What follows `itt` or `cace` in the name of an estimand: "_site_a" of `itt_site_a`, "" of `itt`."""
    return next((effect.removeprefix(name) for name in EFFECTS if effect.startswith(name)), "")


def rows_of(
    result_id: str,
    estimate: Callable[[], Estimates],
    *,
    estimator: str,
    contrast: str,
    about: Mapping[str, Any],
    made_by: Callable[[], Callable[..., Any] | None],
    refused_by: Callable[..., Any] | None = None,
    note: Callable[[], str] = str,
    beside: Sequence[str] = (),
) -> tuple[ResultRow, ...]:
    """Run one planned analysis; what the data do not allow becomes a row with its reason, and one for each estimand
    that always stands `beside` the effect.

    `estimate()` gives the effect and what stands beside it, `note()` what every row says once it is there. `about`:
    population, kind of analysis and clause. The source of a row begins with the function of the study that was asked
    last, `made_by()` (none where what it called stands for itself); where it was refused with `refused_by`, if that is
    another.
    """
    try:
        with recorded() as ran:
            found = estimate()
    except NOT_ALLOWED as error:
        return tuple(
            not_estimated(
                result_id=key,
                reason=f"{type(error).__name__}: {error}",
                method=estimator,
                contrast=contrast_of(key, contrast, beside=("", *beside)),
                source=source_of([*_named(refused_by or made_by()), *ran.names]),
                **about,
            )
            for key in (sibling(result_id, estimand) for estimand in ("", *beside))
        )
    said, source = note(), source_of([*_named(made_by()), *ran.names])
    return tuple(
        one.row(result_id=key, note=said, source=source, contrast=contrast_of(key, contrast, beside=found), **about)
        for key, one in ((sibling(result_id, estimand), one) for estimand, one in found.items())
    )


def _named(function: Callable[..., Any] | None) -> list[str]:
    return [] if function is None else [name_of(function)]


def run_planned(
    plan: StudyPlan,
    analysis: PlannedAnalysis,
    data: Callable[[], AnalysisData],
    *,
    contrast: str,
    made_by: Callable[..., Any],
    several: bool = False,
    note: Callable[[], str] | None = None,
) -> tuple[ResultRow, ...]:
    """The rows of one planned analysis of any study: the estimator that the plan names, on the `data` of the study.

    `made_by` is the function of the study that asks; `several`: the effect is pooled over completed data sets; `note`
    what every row says once it is there, where that is more than the note of the plan.
    """
    estimator = ESTIMATORS[analysis.estimator]
    asked: list[Callable[..., Any]] = [made_by]

    def estimate() -> Estimates:
        given = data()
        asked.append(estimator)
        return estimator(given)

    return rows_of(
        plan.result_id(analysis),
        estimate,
        estimator=analysis.estimator,
        contrast=contrast,
        about={
            "population": plan.populations[analysis.population].label,
            "analysis": analysis.kind,
            "clause": " ".join(analysis.clauses),
        },
        made_by=lambda: asked[-1],
        beside=beside_effect(analysis, several=several),
        note=note or (lambda: analysis.note),
    )


def conduct_of(study: str, analysis: str, facts: Mapping[str, str]) -> tuple[Conduct, ...]:
    """What was done in one analysis, one `Conduct` each."""
    return tuple(Conduct(study=study, analysis=analysis, aspect=aspect, value=value) for aspect, value in facts.items())

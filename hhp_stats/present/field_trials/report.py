"""The results of one field trial as its chapter reads them. Nothing here estimates anything."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from hhp_stats.errors import UnknownName
from hhp_stats.files.project_root import find_root
from hhp_stats.plan.catalogue import study_entry
from hhp_stats.plan.conflicts import Conflict
from hhp_stats.plan.individual import Arm, IndividualOutcome, IndividualPlan, load_individual_plan
from hhp_stats.plan.table_analyses import estimand
from hhp_stats.present.conflicts import conflict_of
from hhp_stats.present.listing import listed_words
from hhp_stats.present.numbers import WITHHELD, count, lowered, plural
from hhp_stats.present.study_results import Row, StudyResults
from hhp_stats.results.traced import TracedRow
from hhp_stats.studies.output import open_output

GROUP = "field_trials"
# Terms that are no columns of the allocation list; the indicator goes with the value.
TERM_WORDS: Mapping[str, str] = {"baseline": "the value at baseline", "baseline_missing": ""}
WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldTrialReport(StudyResults[IndividualPlan]):
    """Plan, results and printed figures of one field trial."""

    @property
    def control(self) -> Arm:
        """The arm without the offer."""
        return next(arm for arm in self.plan.arms if arm.code == 0)

    @property
    def treatment(self) -> Arm:
        """The arm with the offer."""
        return next(arm for arm in self.plan.arms if arm.code == 1)

    @property
    def measured(self) -> tuple[IndividualOutcome, ...]:
        """The outcomes that somebody measured on people, in the order of the plan."""
        return self.plan.measured

    @property
    def on_table(self) -> bool:
        """Whether the trial's data are one plain table: then nobody was asked or answered anything."""
        return self.plan.data is not None

    @property
    def comparisons(self) -> tuple[tuple[IndividualOutcome, Arm], ...]:
        """Every outcome measured with every arm that is compared with the control."""
        return tuple((outcome, arm) for outcome in self.measured for arm in self.plan.offered)

    def comparison(self, name: str) -> tuple[IndividualOutcome, Arm]:
        """An outcome and an arm, by `outcome` or `outcome/arm`; without an arm the first that is offered."""
        key, _, arm_id = name.partition("/")
        arms = {arm.id: arm for arm in self.plan.offered}
        if arm_id and arm_id not in arms:
            raise UnknownName(f"{arm_id!r} is no arm that {self.plan.study} compares; there are {', '.join(arms)}")
        return self.outcome(key), arms[arm_id] if arm_id else self.plan.offered[0]

    def named(self, outcome: IndividualOutcome, arm: Arm) -> str:
        """What a comparison is called: its outcome's label, with the arm's where there are several."""
        return outcome.label if len(self.plan.offered) == 1 else f"{outcome.label}: {arm.label}"

    def people(self, n: Any) -> str:
        """A number of people in the trial's own word: `1 pupil`, `38 pupils`."""
        return plural(n, *self.plan.words.person)

    @property
    def them(self) -> str:
        """The plural of the trial's word for people."""
        return self.plan.words.person[1]

    def clusters(self, n: Any) -> str:
        """A number of clusters in the trial's own word."""
        return plural(n, *(self.plan.words.cluster if self.on_table else (self.plan.design.unit,)))

    def inside(self, label: str) -> str:
        """A label inside a sentence: of a plain table as the plan has it."""
        return label if self.on_table else lowered(label)

    def planned(self, outcome: str, arm: Arm | None = None) -> Row:
        """The row of the planned analysis of an outcome, of several arms with the one given."""
        pair = None if arm is None else (arm, self.control)
        analysis = self.plan.planned(self.outcome(outcome).id, pair)
        if analysis is not None:
            return self.row(analysis.id)
        raise UnknownName(f"the plan of {self.plan.study} has no planned analysis of {outcome!r}")

    def beside(self, outcome: str, method: str, arm: Arm | None = None, *, name: str = "itt") -> Row | None:
        """The row of another analysis of an outcome, by its method; None where the plan has none. `name` is its
        estimand.
        """
        own = estimand(name, arm or self.plan.offered[0], self.plan.arms)
        key = f"{self.plan.study}/{outcome}/{own}/{method}"
        return self.row(key.split("/", 1)[1]) if key in set(self.output.results["result_id"]) else None

    def term(self, name: str) -> str:
        """A covariate in words: of a plain table what its dictionary says."""
        if name in TERM_WORDS:
            return TERM_WORDS[name]
        return self.plan.columns[name].meaning if name in self.plan.columns else name.replace("_", " ")

    def adjusted_for(self, outcome: str) -> str:
        """What the planned analysis of an outcome adjusts for, in words; "" where it adjusts for nothing."""
        analysis = self.plan.planned(self.outcome(outcome).id)
        names = [] if analysis is None else [self.term(term) for term in analysis.terms]
        return listed_words([name for name in dict.fromkeys(names) if name])

    def detectable(self, entry: str) -> Row:
        """The detectable effect of a power entry by the trial's own design: clusters where it drew them, else
        people.
        """
        key = f"power/mde_{entry}/formula"
        if self.plan.design.cluster:
            key = f"{self.plan.primary.id}/mde_{entry}/clustered"
        return self.row(key)

    def arm(self, outcome: str, arm: Arm) -> Row:
        """The row of an arm's mean."""
        return self.row(f"{outcome}/mean_{arm.id}/raw")

    def outcome(self, key: str) -> IndividualOutcome:
        """The plan's entry of an outcome."""
        if key not in self.plan.outcomes:
            raise UnknownName(
                f"the plan of {self.plan.study} has no outcome {key!r}; it has {', '.join(self.plan.outcomes)}"
            )
        return self.plan.outcomes[key]

    def count(self, key: str) -> Any:
        """A count or share of the sample, or `WITHHELD`: `randomised`, `responded_control`."""
        row = self.row(f"sample/{key}/count")
        return WITHHELD if row["status"] == "withheld" else row["estimate"]

    def conflict(self, key: str) -> Conflict:
        """One contradiction in the documents, with what is used."""
        return conflict_of(self.root, key)

    def counterparts(self) -> dict[tuple[str, str], Row]:
        """The rows of `reproduction` by result id and column."""
        rows = rows_of(self.reproduction(GROUP))
        return {(str(row["result_id"]), str(row["column"])): row for row in rows}

    def records(self, name: str) -> list[Row]:
        """The lines of a descriptive table."""
        return rows_of(self.table(name))


def in_words(n: float) -> str:
    """Whole numbers below ten as words, others as figures."""
    return WORDS[int(n)] if 0 <= n < len(WORDS) and float(n).is_integer() else count(n)


def _textual(row: Mapping[Hashable, Any]) -> Row:
    named = {str(name): value for name, value in row.items()}
    return TracedRow(named) if "result_id" in named else named


def rows_of(frame: pd.DataFrame) -> list[Row]:
    """The lines of a frame, columns by name."""
    return [_textual(row) for row in frame.to_dict("records")]


def group_of(report: FieldTrialReport, arm: Arm) -> str:
    """What the people of an arm are called in a sentence: `video group`, `control group`."""
    return "control group" if arm.code == 0 else f"{report.inside(arm.label)} group"


def open_field_trial(study: str, *, document: str = "", root: Path | None = None) -> FieldTrialReport:
    """The trial's plan and results; `document` defaults to the chapter the plan names."""
    home = root or find_root()
    plan = load_individual_plan(home, study)
    return FieldTrialReport(root=home, plan=plan, output=open_output(home, study), document=document or plan.chapter)


def label_of(report: FieldTrialReport, name: str) -> str:
    """The label of a figure, by its name and what it is about: `swing-arms-burnout`."""
    short = study_entry(report.root, report.plan.study).short
    return f"{short}-{name}".replace("_", "-").replace("/", "-")

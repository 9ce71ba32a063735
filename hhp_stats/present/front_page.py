"""The front page: what a manager without statistics takes away in two minutes.

One key message, one figure of the primary outcomes, one line for every study, and how sure all this is. Words follow
the results: nothing here knows which study found what, and what is invented is shown with its sign and counted nowhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from hhp_stats.errors import UnknownName
from hhp_stats.files.project_root import find_root
from hhp_stats.plan.any_plan import plan_of
from hhp_stats.plan.catalogue import StudyEntry, catalogue
from hhp_stats.plan.experiments import ExperimentPlan
from hhp_stats.plan.glance import Glance, study_glance
from hhp_stats.plan.individual import IndividualPlan
from hhp_stats.plan.programme import programme_plan
from hhp_stats.plan.table_schema import Words
from hhp_stats.present import discussion as side_by_side
from hhp_stats.present import programme
from hhp_stats.present.certainty import Certainty, certainty
from hhp_stats.present.discussion import Discussion
from hhp_stats.present.embed import EmbeddedFigure, embed
from hhp_stats.present.figures import simple_forest
from hhp_stats.present.listing import capital, listed_apart, listed_words
from hhp_stats.present.markdown import escaped, pipe_table
from hhp_stats.present.marks import shown
from hhp_stats.present.numbers import alpha_of, count, interval, lowered, number, percent, plural, spelled
from hhp_stats.present.origins import INVENTED, INVENTED_SIGN, invented, origins, sign_note, signed
from hhp_stats.present.prose import is_clear
from hhp_stats.present.standardised_effects import compared_arms
from hhp_stats.results.frame import read_results
from hhp_stats.results.traced import traced_records
from hhp_stats.studies.output import FOLDER

DOCUMENT = "index.qmd"
MOST_MEASURED = 3  # outcomes that the key message names


@dataclass(frozen=True, slots=True, kw_only=True)
class Front:
    """Everything that the front page reads."""

    root: Path
    side: Discussion
    results: pd.DataFrame  # of all studies
    entries: Sequence[StudyEntry]
    glances: Mapping[str, Glance]
    enough_response: float

    def say(self, name: str) -> str:
        """A sentence by name."""
        if name not in SENTENCES:
            raise UnknownName(f"nothing is called {name!r} here; known: {', '.join(sorted(SENTENCES))}")
        return shown(SENTENCES[name], self)

    def paragraph(self, *names: str) -> str:
        """Sentences by name as one paragraph; those that have nothing to say are left out."""
        return " ".join(said for name in names if (said := self.say(name)))

    def plain(self, entry: StudyEntry) -> str:
        """What a study offered, in words that need no knowledge of the programme; signed where it is invented."""
        name = self.glances[entry.study].plain or entry.name
        return signed(name) if entry.study in self.side.invented else name

    def offered(self, effect: Mapping[str, Any], *, within: bool = False) -> str:
        """What an effect is about: the study, and of several arms its own; `within` a sentence a small first letter."""
        entry = next(entry for entry in self.entries if entry.study == effect["study"])
        name = self.plain(entry)
        if within and (self.glances[entry.study].plain or not entry.on_table):
            name = lowered(name)
        arm = compared_arms(self.root, entry.study)[str(effect["estimand"])]
        return f"{name}, {arm}" if arm else name

    def certainty(self, entry: StudyEntry) -> Certainty | None:
        """How many of the questions that make a result sure a study meets; None for pilots and invented effects."""
        if entry.kind == "pilot" or origins(self.root).get(entry.study) in INVENTED:
            return None
        return certainty(self.results, plan_of(self.root, entry.study), enough_response=self.enough_response)

    @property
    def primary(self) -> pd.DataFrame:
        """The effect on the primary outcome of each trial in standard deviations, above zero is better."""
        effects = self.side.effects
        primary = {
            study: next(key for key, outcome in self.side.plan(study).outcomes.items() if outcome.role == "primary")
            for study in effects["study"].unique()
        }
        return effects[effects["outcome"] == effects["study"].map(primary)]

    @property
    def counted(self) -> pd.DataFrame:
        """Those of trials that nobody invented."""
        return self.primary[~self.primary["study"].isin(self.side.invented)]

    def figure(self) -> EmbeddedFigure:
        """The primary outcomes, one line a trial."""
        return shown(_figure, self)

    def programmes(self) -> str:
        """Every study in one line, as a Markdown table with links to the chapters."""
        rows = [_line(self, entry) for entry in self.entries]
        note = sign_note(self.root)
        table = pipe_table(
            ["What was tried", "With whom", "Did it work?", "How sure?", "Costs", "What people said"],
            rows,
            label="tbl-front-programmes",
            caption="The studies at a glance",
            widths=[21, 19, 22, 8, 12, 20],
        )
        return f"{table}\n{escaped(note)}\n" if note else table


def _figure(front: Front) -> EmbeddedFigure:
    rows = front.primary
    labels = [f"{front.offered(row)}: {_measured(front, row['study'])}" for row in traced_records(rows)]
    made_up = rows["study"].isin(front.side.invented)
    words = "; ".join(
        f"{label} {number(row['estimate'])} ({interval(row['conf_low'], row['conf_high'])})"
        for label, row in zip(labels, traced_records(rows), strict=True)
    )
    clear = sum(is_clear(row) for row in traced_records(front.counted))
    conclusion = (
        f"{capital(spelled(clear)) if clear else 'None'} of the {spelled(len(front.counted))} effects that count"
        f" {'is' if clear < 2 else 'are'} clearly different from no effect"
    )
    grey = f" Grey lines with {INVENTED_SIGN} are invented." if made_up.any() else ""
    return embed(
        lambda width: simple_forest(
            rows, labels=labels, ends=("worse", "no effect", "better"), muted=list(made_up), width=width
        ),
        root=front.root,
        document=DOCUMENT,
        label="front-primary",
        conclusion=conclusion,
        alt=(f"Effects on the main outcome of each trial in standard deviations, better to the right: {words}."),
        caption=(
            f"The main outcome of each trial. {conclusion}: a line that crosses the middle may mean no effect.{grey}"
        ),
    )


def _measured(front: Front, study: str) -> str:
    """What the main outcome of a trial is about, in everyday words where its plan has them: `wellbeing`."""
    outcome = front.side.primary(study)
    return outcome.construct or front.side.inside(study, outcome.label)


def _line(front: Front, entry: StudyEntry) -> list[str]:
    glance, found = front.glances[entry.study], front.certainty(entry)
    sure = "\u2013" if found is None else f"{found.met} of {found.asked}"
    return [
        f"[{escaped(front.plain(entry))}]({entry.chapter})",
        escaped(_people(front, entry)),
        escaped(_answer(front, entry)),
        sure,
        escaped(glance.cost or "not known"),
        escaped(glance.said or "\u2013"),
    ]


def _people(front: Front, entry: StudyEntry) -> str:
    """How many were randomised and how many of them are analysed; where that is not known, what the plan says."""
    found = front.certainty(entry)
    if found is None or not found.randomised:
        return programme.chapter(root=front.root).filled(front.glances[entry.study].participants)
    plan = plan_of(front.root, entry.study)
    people = plural(found.randomised, *(plan.words if isinstance(plan, IndividualPlan) else Words()).person)
    return people if found.analysed == found.randomised else f"{people}, {count(found.analysed)} analysed"


def _answer(front: Front, entry: StudyEntry) -> str:
    """Did it work? By the planned analysis of the primary outcome, or of each experiment."""
    if entry.kind == "pilot":
        return "not tested"
    if entry.study in {each.study for each in invented(front.root)}:
        return "not known"
    plan = plan_of(front.root, entry.study)
    if isinstance(plan, ExperimentPlan):
        return capital("; ".join(f"{_way(name)}: {_change(clear)}" for name, clear in _experiments(front, plan)))
    rows = traced_records(front.primary[front.primary["study"] == entry.study])
    if not rows:
        return "not known"
    arms = compared_arms(front.root, entry.study)
    found: dict[str, list[str]] = {}
    for row in rows:
        found.setdefault(_verdict(row), []).append(arms[str(row["estimand"])])
    if len(found) == 1:
        return next(iter(found))
    return "; ".join(f"{verdict}: {listed_apart(named)}" for verdict, named in found.items())


def _verdict(row: Mapping[str, Any]) -> str:
    if not is_clear(row):
        return "no clear effect"
    return "clearly better" if row["estimate"] > 0 else "clearly worse"


def _way(title: str) -> str:
    """What an experiment compared: its title after the colon."""
    return title.partition(": ")[2] or title


def _change(clear: bool) -> str:
    return "changed choices" if clear else "no clear change"


def _experiments(front: Front, plan: ExperimentPlan) -> list[tuple[str, bool]]:
    """Each experiment of a plan, and whether any of its planned comparisons is clear, adjusted for their number."""
    frame = front.results[(front.results["study"] == plan.study) & (front.results["analysis"] == "planned")]
    found = []
    for experiment in plan.experiments.values():
        own = frame[(frame["outcome"] == experiment.id) & (frame["status"] == "estimated")]
        rows = traced_records(own.dropna(subset=["p_value"]))  # comparisons, not means of arms
        found.append((experiment.title, any(is_clear(row) and _holds(row) for row in rows)))
    return found


def _holds(row: Mapping[str, Any]) -> bool:
    """Whether a comparison stays clear once it is known that it is one of several; true where it is the only one."""
    adjusted = row["p_adjusted"]
    return bool(pd.isna(adjusted)) or float(adjusted) < alpha_of(float(row["conf_level"]))


# ---------------------------------------------------------------- sentences
def key_message(front: Front) -> str:
    """What do the trials say, taken together?"""
    rows = front.counted
    if rows.empty:
        return "No trial in this report has a result that counts yet."
    clear = [row for row in traced_records(rows) if is_clear(row)]
    measured = list(dict.fromkeys(_measured(front, study) for study in dict.fromkeys(rows["study"])))
    outcome = listed_apart(measured)
    if len(measured) > MOST_MEASURED:
        outcome = f"what {'they were' if len(clear) > 1 else 'it was'} meant to change"
    if not clear:
        head = (
            f"None of the {spelled(len(rows))} programmes that we can judge made a clear difference to {outcome}."
            if len(rows) > 1
            else f"The one programme that we can judge made no clear difference to {outcome}."
        )
    else:
        parts = [f"{front.offered(row)} ({'better' if row['estimate'] > 0 else 'worse'})" for row in clear]
        judged = f"Of {spelled(len(rows))} programmes that we can judge, {spelled(len(clear))} made"
        head = f"{judged} a clear difference to {outcome}: {listed_apart(parts)}."
    return " ".join(part for part in (head, _response(front), _size(front)) if part)


def _response(front: Front) -> str:
    """How few answered."""
    found = [
        each.analysed / each.randomised
        for entry in front.entries
        if entry.study in set(front.counted["study"]) and (each := front.certainty(entry)) and each.randomised
    ]
    if not found:
        return ""
    low, high = (percent(share, 0).removesuffix("%") for share in (min(found), max(found)))
    if any(entry.on_table for entry in front.entries if entry.study in set(front.counted["study"])):
        known = low if low == high else f"{low} to {high}"
        return f"The main outcome is known for {known} in 100 people." if min(found) < 1 else ""
    few = "Most staff did not answer" if max(found) < front.enough_response else "Not all staff answered"
    return f"{few} the last survey: {low if low == high else f'{low} to {high}'} in 100 did."


def _size(front: Front) -> str:
    """Could the trials have missed the effect that they were planned to find?"""
    open_to = []
    for row in traced_records(front.counted):
        plan = front.side.plan(row["study"])
        size = plan.power["planned"].printed if isinstance(plan, IndividualPlan) and "planned" in plan.power else None
        open_to.append(size is None or row["conf_high"] >= size)
    if all(open_to):
        return "The trials were too small to rule out a modest effect."
    if any(open_to):
        return "Some of the trials were too small to rule out a modest effect."
    return "The trials rule out an effect as large as they were planned to find."


def experiments(front: Front) -> str:
    """What the experiments found, one sentence; "" where there is none."""
    said = []
    for entry in front.entries:
        plan = plan_of(front.root, entry.study)
        if isinstance(plan, ExperimentPlan):
            found = _experiments(front, plan)
            changed, same = ([_way(name) for name, clear in found if clear is wanted] for wanted in (True, False))
            name = front.plain(entry)
            if changed:
                rest = f" and no clear difference in {_ways(same, 'another')}" if same else ""
                said.append(f"{name} made a clear difference to what people chose in {_ways(changed, 'one')}{rest}.")
            elif same:
                said.append(f"{name} made no clear difference to what people chose ({listed_words(same)}).")
    return " ".join(said)


def _ways(names: Sequence[str], one: str) -> str:
    """`one way (side by side or one after the other)`, `two ways (...)`."""
    return f"{f'{one} way' if len(names) == 1 else f'{spelled(len(names))} ways'} ({'; '.join(names)})"


def invented_here(front: Front) -> str:
    """Which lines of the page are invented; "" where none is."""
    made_up = [entry for entry in invented(front.root) if entry.study in front.glances]
    names = [front.glances[entry.study].plain or entry.name for entry in made_up]
    if not names:
        return ""
    which = listed_words([lowered(name) for name in names])
    return (
        f"Some of what is shown is invented (marked {INVENTED_SIGN}): {which}. No results of these trials were ever"
        " published as numbers."
    )


def rule(front: Front) -> str:
    """The rule behind the column on certainty."""
    return (
        "We ask four questions of each study. Were people put into groups by chance? Could we analyse at least"
        f" {percent(front.enough_response, 0).removesuffix('%')} in 100 of them? Were there as many people as planned?"
        " Do all other ways to analyse the data lead to the same answer? The table counts how often the answer is yes."
    )


def conclusion(front: Front) -> str:
    """What follows for managers."""
    clear = [row for row in traced_records(front.counted) if is_clear(row) and row["estimate"] > 0]
    if clear:
        names = listed_apart([front.offered(row, within=True) for row in clear])
        return f"Look first at {names}, and test {'it' if len(clear) == 1 else 'them'} again."
    return "Do not count on a small offer to fix stress, sick leave or staff turnover."


SENTENCES: Mapping[str, Callable[[Front], str]] = {
    "key": key_message,
    "experiments": experiments,
    "invented": invented_here,
    "rule": rule,
    "conclusion": conclusion,
}


def chapter(*, root: Path | None = None) -> Front:
    """Open every study's results; refuses if no trial has any (HhpError)."""
    home = root or find_root()
    entries = [entry for entry in catalogue(home) if (home / FOLDER / entry.study / "results.csv").is_file()]
    frames: list[Any] = [read_results(home / FOLDER / entry.study / "results.csv") for entry in entries]
    return Front(
        root=home,
        side=side_by_side.chapter(root=home),
        results=pd.concat(frames, ignore_index=True),
        entries=entries,
        glances={entry.study: study_glance(home, entry.study) for entry in entries},
        enough_response=programme_plan(home).enough_response,
    )

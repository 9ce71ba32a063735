"""Chapter 11: the studies side by side, as far as their results exist when the report is rendered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from great_tables import GT

from hhp_stats.errors import HhpError, UnknownName
from hhp_stats.files.project_root import find_root
from hhp_stats.plan.any_plan import plan_of
from hhp_stats.plan.catalogue import StudyEntry, catalogue
from hhp_stats.plan.experiments import ExperimentPlan
from hhp_stats.plan.individual import IndividualPlan
from hhp_stats.plan.returns_schema import ReturnsPlan
from hhp_stats.plan.table_analyses import estimand
from hhp_stats.present.bars import bars_in_words, labelled_bars
from hhp_stats.present.embed import EmbeddedFigure, embed
from hhp_stats.present.figures import forest
from hhp_stats.present.marks import shown
from hhp_stats.present.numbers import (
    MISSING,
    alpha_of,
    capital,
    count,
    interval,
    level,
    listed_words,
    lowered,
    number,
    p_value,
    percent,
    plural,
    spelled,
    withheld,
)
from hhp_stats.present.origins import INVENTED_SIGN, invented, sign_note, signed, uncounted
from hhp_stats.present.prose import is_clear
from hhp_stats.present.tables import plain_table
from hhp_stats.results import read_results
from hhp_stats.studies.across import pairwise_differences
from hhp_stats.studies.output import FOLDER, open_output

DOCUMENT = "report/11-discussion.qmd"
WELLBEING = ("wellbeing", "subjective_wellbeing")
_SUBSCALE = "subscale"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeName:
    """An outcome as its study's plan has it."""

    label: str
    better: str  # lower or higher


@dataclass(frozen=True, slots=True, kw_only=True)
class Discussion:
    """The standardised effects of all studies whose results exist, turned so that above zero is better."""

    root: Path
    results: pd.DataFrame
    studies: Mapping[str, StudyEntry]  # those whose results exist, by key
    effects: pd.DataFrame  # rows of the result frame with columns label and better; estimate and interval turned
    invented: frozenset[str] = frozenset()  # studies whose effects are made up: shown with a sign, counted nowhere

    def table(self, name: str) -> GT:
        """A table by name."""
        if name not in TABLES:
            raise UnknownName(f"nothing is called {name!r} here; known: {', '.join(sorted(TABLES))}")
        return shown(TABLES[name], self)

    def say(self, name: str) -> str:
        """A sentence by name."""
        if name not in SENTENCES:
            raise UnknownName(f"nothing is called {name!r} here; known: {', '.join(sorted(SENTENCES))}")
        return shown(SENTENCES[name], self)

    def figure(self) -> EmbeddedFigure:
        """All effects in standard deviations."""
        rows = self.effects
        labels = [f"{self.names[row['study']]}: {lowered(row['label'])}" for row in rows.to_dict("records")]
        made_up = rows["study"].isin(self.invented)
        drawing = forest(
            rows,
            labels=labels,
            unit="standard deviations",
            favours=("worse", "better"),
            muted=rows.loc[made_up, "result_id"].tolist(),
        )
        drawing.axes[0].set_xlabel("Effect of the offer in standard deviations; to the right is better")
        levels = " and ".join(level(found) for found in dict.fromkeys(rows["conf_level"]))
        words = "; ".join(
            f"{label} {number(row['estimate'])} ({interval(row['conf_low'], row['conf_high'])})"
            for label, row in zip(labels, rows.to_dict("records"), strict=True)
        )
        tally = f"{_some(int(_clear(self.counted).sum()))} of {count(len(self.counted))} intervals exclude zero"
        return embed(
            drawing,
            root=self.root,
            document=DOCUMENT,
            label="effects-all-studies",
            conclusion=capital(tally),
            alt=(f"Effects with {levels} intervals in standard deviations; above zero is better. {words}."),
            caption=(f"Effects of all trials in standard deviations; right is better: {tally}")
            + (
                f"; grey with open marks and {INVENTED_SIGN}: invented effects, which are not counted"
                if made_up.any()
                else ""
            ),
        )

    def funnel(self) -> EmbeddedFigure:
        """Of those randomised in each trial, how many are analysed for the primary outcome."""
        found: dict[str, tuple[int, int]] = {}
        for study in dict.fromkeys(self.effects["study"]):
            steps = open_output(self.root, study).tables["flow"]
            steps = steps[steps["kind"] == "stage"]
            sent, known = (steps.loc[steps["stage"] == stage, "people"] for stage in ("randomised", "analysed"))
            if not withheld(*sent, *known):
                found[study] = (int(sent.iloc[0]), sum(map(int, known)))
        shares = {study: known / sent for study, (sent, known) in found.items()}
        labels = [self.names[study] for study in found]
        words = [
            f"{percent(shares[study], 0)}: {count(known)} of {count(sent)}" for study, (sent, known) in found.items()
        ]
        low, high = (percent(end, 0) for end in (min(shares.values()), max(shares.values())))
        conclusion = f"Between {low} and {high} of those randomised are analysed for the main outcome"
        return embed(
            labelled_bars(labels, [100 * n for n in shares.values()], words=words, unit="% of those randomised"),
            root=self.root,
            document=DOCUMENT,
            label="funnel-all-studies",
            conclusion=conclusion,
            alt=f"Bars of the share analysed, by trial. {bars_in_words(labels, words)}.",
            caption=f"From randomisation to analysis: {conclusion[0].lower()}{conclusion[1:]}"
            + (f". {INVENTED_SIGN}: a trial whose effects are invented" if self.invented & found.keys() else ""),
        )

    @property
    def names(self) -> Mapping[str, str]:
        """What the studies are called, with a sign where their effects are invented."""
        return {key: signed(entry.name) if key in self.invented else entry.name for key, entry in self.studies.items()}

    @property
    def counted(self) -> pd.DataFrame:
        """The effects that tallies, ranges and conclusions rest on: those that nobody invented."""
        return self.effects[~self.effects["study"].isin(self.invented)]

    def plan(self, study: str) -> ReturnsPlan | IndividualPlan:
        """The plan of a trial."""
        found = plan_of(self.root, study)
        if isinstance(found, ExperimentPlan):
            raise UnknownName(f"{study} compares no arms")
        return found

    def primary(self, study: str) -> OutcomeName:
        """The primary outcome of a trial."""
        found = next(outcome for outcome in self.plan(study).outcomes.values() if outcome.role == "primary")
        return OutcomeName(label=found.label, better=found.better)

    def wellbeing(self) -> pd.DataFrame:
        """The effect on wellbeing, one row a study."""
        return self.effects[self.effects["outcome"].isin(WELLBEING)]

    def counted_wellbeing(self) -> pd.DataFrame:
        """The effect on wellbeing of the studies that are counted."""
        return self.counted[self.counted["outcome"].isin(WELLBEING)]


def _some(n: int) -> str:
    return spelled(n) if n else "none"


def _clear(rows: pd.DataFrame) -> pd.Series:
    found = [
        is_clear({"conf_low": low, "conf_high": high})
        for low, high in zip(rows["conf_low"], rows["conf_high"], strict=True)
    ]
    return pd.Series(found, index=rows.index, dtype="bool")


def effects_table(discussion: Discussion) -> GT:
    """Every effect with interval, p, df and people, by study."""
    cells = [
        {
            "Outcome": row["label"],
            "of": discussion.names[row["study"]],
            "Effect": number(row["estimate"]),
            f"{level(row['conf_level'])} CI": interval(row["conf_low"], row["conf_high"]),
            "p": p_value(row["p_value"]),
            "df": _df(row["df"]),
            "People": count(row["n"]),
        }
        for row in discussion.effects.to_dict("records")
    ]
    return plain_table(
        pd.DataFrame(cells),
        stub="Outcome",
        groups="of",
        notes=[
            "Hedges\u2019 g: difference of the arms over the standard deviation of individual people, with"
            " signs reversed"
            " where needed so that above zero is better." + _sign_note(discussion)
        ],
    )


def _sign_note(discussion: Discussion) -> str:
    """A sentence, after a blank, on the trials whose effects are invented; "" where there are none."""
    shown_here = discussion.invented & set(discussion.effects["study"])
    return f" {sign_note(discussion.root, shown_here)}" if shown_here else ""


def _uncounted(discussion: Discussion) -> str:
    """The same, for a sentence that counts trials."""
    left_out = discussion.invented & set(discussion.effects["study"])
    return f" {uncounted(discussion.root, left_out)}" if left_out else ""


def _df(df: float) -> str:
    return "normal" if df == float("inf") else number(df, 0 if float(df).is_integer() else 1)


def samples(discussion: Discussion) -> GT:
    """Planned against achieved samples and the effects that they can detect."""
    cells = []
    frame = discussion.results.set_index("result_id")

    def cell(result_id: str, column: str) -> Any:
        return frame[column].get(result_id)

    for study in dict.fromkeys(discussion.effects["study"]):
        planned, achieved = (power_row(discussion, study, name) for name in ("planned", "achieved"))
        cells.append(
            {
                "Study": discussion.names[study],
                "People, planned": _or_missing(cell(planned, "n"), count),
                "People, analysed": _or_missing(cell(achieved, "n"), count),
                "Effect aimed at": _or_missing(_aim(discussion, study, cell(planned, "estimate")), number),
                "Found by planned people": _or_missing(cell(planned, "estimate"), number),
                "Found by those analysed": _or_missing(cell(achieved, "estimate"), number),
            }
        )
    return plain_table(
        pd.DataFrame(cells),
        stub="Study",
        notes=[
            "People whose outcome is or was to be analysed, and the smallest difference, in standard deviations, that"
            f" so many can detect with a power of {_rates(discussion)}. The effect aimed at is the one that the"
            " plan gives."
            " Where the plan gives no number of people, it is the number randomised times the expected"
            " response, which can"
            f" detect a different effect. {_outcomes_aimed_at(discussion)} Where whole teams or buildings were"
            " randomised,"
            " their sizes and the similarity of colleagues are taken into account." + _sign_note(discussion)
        ],
    )


def _outcomes_aimed_at(discussion: Discussion) -> str:
    """Which outcome the detectable effects are about: wellbeing, where a trial's primary outcome is no other."""
    studies = list(dict.fromkeys(discussion.effects["study"]))
    others = [study for study in studies if not set(WELLBEING) & {_key(discussion.plan(study), "primary")}]
    named = [f"{discussion.names[study]}: {lowered(discussion.primary(study).label)}" for study in others]
    rest = ["the others: wellbeing"] if named and len(named) < len(studies) else ["All: wellbeing"] if not named else []
    return f"{'; '.join([*named, *rest])}."


def _key(plan: ReturnsPlan | IndividualPlan, role: str) -> str:
    return next(key for key, outcome in plan.outcomes.items() if outcome.role == role)


def _rates(discussion: Discussion) -> str:
    """The power and the level that the trials' plans ask of their samples; each pair where they differ."""
    asked: dict[tuple[float, float], None] = {}
    for study in dict.fromkeys(discussion.effects["study"]):
        for entry in discussion.plan(study).power.values():
            asked[entry.power, entry.alpha] = None
    return " or ".join(f"{percent(power, 0)} at a two-sided {percent(alpha, 0)}" for power, alpha in asked)


def power_row(discussion: Discussion, study: str, name: str) -> str:
    """The result id of a detectable effect: by the formula of the trial's own design, that for clusters where it has
    them.
    """
    found = discussion.results["result_id"]
    of_protocol = found[found.str.startswith(f"{study}/power/mdes/") & found.str.endswith(f"-{name}")]
    if len(of_protocol):
        return str(of_protocol.iloc[0])
    outcomes = (*WELLBEING, _key(discussion.plan(study), "primary"))
    clustered = found[found.isin([f"{study}/{outcome}/mde_{name}/clustered" for outcome in outcomes])]
    return str(clustered.iloc[0]) if len(clustered) else f"{study}/power/mde_{name}/formula"


def _aim(discussion: Discussion, study: str, computed: Any) -> Any:
    """The effect that a plan prints; where the printed effect rests on the printed formula, that one."""
    plan = discussion.plan(study)
    if isinstance(plan, ReturnsPlan):
        return computed
    entry = plan.power.get("planned")
    return None if entry is None else entry.printed


def _or_missing(value: Any, shown: Callable[[Any], str]) -> str:
    return MISSING if value is None or pd.isna(value) else shown(value)


def pairs(discussion: Discussion) -> GT:
    """Effects on wellbeing, two studies at a time."""
    rows = discussion.wellbeing()
    conf_level = float(rows["conf_level"].max())
    cells = [
        {
            "Difference between": f"{discussion.names[row['first']]} and {discussion.names[row['second']]}",
            "Difference": number(row["estimate"]),
            f"{level(conf_level)} CI": interval(row["conf_low"], row["conf_high"]),
            "p": p_value(row["p_value"]),
            "Holm p": p_value(row["p_adjusted"]),
            "df": _df(row["df"]),
        }
        for row in pairwise_differences(rows, conf_level=conf_level).to_dict("records")
    ]
    return plain_table(
        pd.DataFrame(cells),
        stub="Difference between",
        notes=[
            "First minus second effect on subjective wellbeing in standard deviations. Holm p: adjusted over all pairs."
            + _sign_note(discussion)
        ],
    )


def overview(discussion: Discussion) -> str:
    """How many effects point which way, and how many are clear."""
    rows, left_out = discussion.counted, _uncounted(discussion)
    if rows.empty:
        return f"No trial has an effect that can be counted.{left_out}"
    clear = _clear(rows)
    better, worse = int((rows["estimate"] > 0).sum()), int((rows["estimate"] < 0).sum())
    good, bad = int((clear & (rows["estimate"] > 0)).sum()), int((clear & (rows["estimate"] < 0)).sum())
    expected = float((1 - rows["conf_level"]).sum())
    trials = rows["study"].nunique()
    where = f"{plural(len(rows), 'effect')} in {spelled(trials)} {'trial' if trials == 1 else 'trials'}"
    lean = f"{_some(better)} {_lean(better)} towards benefit and {_some(worse)} towards harm"
    if not good + bad:
        return f"None of the {where} is clearly different from no effect: {lean}.{left_out}"
    parts = [f"{spelled(n)} for the {side}" for n, side in ((good, "better"), (bad, "worse")) if n]
    return (
        f"Of {where}, {lean}. {spelled(good + bad).capitalize()} {'is' if good + bad == 1 else 'are'} clearly different"
        f" from no effect ({', '.join(parts)}); if no programme had any effect, {number(expected, 1)} would"
        f" be expected by chance.{left_out}"
    )


def _lean(n: int) -> str:
    return "leans" if n < 2 else "lean"


def largest(discussion: Discussion) -> str:
    """What sizes the intervals for wellbeing leave open."""
    rows, left_out = discussion.counted_wellbeing(), _uncounted(discussion)
    if rows.empty:
        return f"No effect on wellbeing can be counted.{left_out}"
    measured, trials = rows["study"].nunique(), discussion.counted["study"].nunique()
    whose = "which all of them measured" if measured == trials else f"which {spelled(measured)} of them measured"
    low, high = float(rows["conf_low"].min()), float(rows["conf_high"].max())
    inner = min(rows.to_dict("records"), key=lambda row: row["conf_high"] - row["conf_low"])
    return (
        f"For wellbeing, {whose}, effects between {number(low)} and {number(high)} standard"
        " deviations are compatible with at least one trial. The narrowest interval, that of"
        f" {discussion.names[inner['study']]}, runs from {interval(inner['conf_low'], inner['conf_high'])}.{left_out}"
    )


def shared(discussion: Discussion) -> str:
    """On which outcome can the trials be compared?"""
    measured, trials = (set(rows["study"]) for rows in (discussion.wellbeing(), discussion.effects))
    if measured == trials:
        return "On wellbeing, the only outcome that all trials share,"
    return f"On wellbeing, the outcome that {spelled(len(measured))} of {spelled(len(trials))} trials share,"


def compared(discussion: Discussion) -> str:
    """Do the effects on wellbeing differ between studies? Adjusted over all pairs that the table shows."""
    rows, left_out = discussion.wellbeing(), _uncounted(discussion)
    if rows.empty:
        return "No trial has a result on wellbeing, and nothing can be compared."
    found = pairwise_differences(rows, conf_level=float(rows["conf_level"].max()))
    if found.empty:
        return "There is only one trial with a result on wellbeing, and nothing to compare it with."
    found = found[~(found["first"].isin(discussion.invented) | found["second"].isin(discussion.invented))]
    if found.empty:
        return f"No two trials have effects on wellbeing that can be compared.{left_out}"
    alphas = found["conf_level"].map(alpha_of)
    clear, held = int((found["p_value"] < alphas).sum()), int((found["p_adjusted"] < alphas).sum())
    if not clear:
        return f"Of {plural(len(found), 'pair')} of trials, none differs by more than chance explains.{left_out}"
    return (
        f"Of {plural(len(found), 'pair')} of trials {spelled(clear)} {'differs' if clear == 1 else 'differ'} at the "
        "level of the intervals, and "
        f"{spelled(held)} after adjustment for the number of pairs.{left_out}"
    )


def excluded(discussion: Discussion) -> str:
    """Can the trials of the second phase rule out the benefit they were planned to find?"""
    sizes: list[str] = []
    out: list[str] = []
    for row in discussion.counted_wellbeing().to_dict("records"):
        plan = discussion.plan(row["study"])
        size = plan.power["planned"].printed if isinstance(plan, IndividualPlan) and "planned" in plan.power else None
        if size is None:
            continue
        sizes.append(f"{number(size)} {'' if sizes else 'standard deviations '}in {discussion.names[row['study']]}")
        if row["conf_high"] < size:
            out.append(discussion.names[row["study"]])
    if not sizes:
        return "No trial with a published target has results yet."
    ruled = (
        f"the interval for wellbeing excludes that effect in {listed_words(out)}"
        if out
        else "no interval for wellbeing excludes it"
    )
    return f"The trials of the second phase were planned to detect effects of {listed_words(sizes)}; {ruled}."


def fewer(discussion: Discussion) -> str:
    """In how many trials were fewer people analysed than planned?"""
    frame = discussion.results.set_index("result_id")["n"]
    pairs_of_n, left_out = [], set()
    for study in dict.fromkeys(discussion.effects["study"]):
        ids = [power_row(discussion, study, name) for name in ("planned", "achieved")]
        # Of a trial whose numbers are withheld, or where nobody answered, it is not known.
        if all(key in frame.index and pd.notna(frame[key]) for key in ids):
            if study in discussion.invented:
                left_out.add(study)
                continue
            pairs_of_n.append((int(frame[ids[0]]), int(frame[ids[1]])))
    if not pairs_of_n:
        return "No trial here has a published target."
    short = sum(analysed < planned for planned, analysed in pairs_of_n)
    said = f"In {_of_all(short or len(pairs_of_n), len(pairs_of_n))} with a published target, "
    said += (
        "fewer people are analysed than planned, and a smaller sample can only detect larger effects."
        if short
        else "at least as many people are analysed as planned."
    )
    return said + (f" {uncounted(discussion.root, left_out, what='answers')}" if left_out else "")


def _of_all(n: int, of: int) -> str:
    """`two of the three trials`, `all three trials`, `both trials`, `the one trial`."""
    if n == of:
        return "the one trial" if of == 1 else "both trials" if of == 2 else f"all {spelled(of)} trials"
    return f"{spelled(n)} of the {spelled(of)} trials"


def conclusion(discussion: Discussion) -> str:
    """What the effects say to an authority, following the intervals."""
    rows = discussion.counted
    clear = rows[_clear(rows)].to_dict("records")
    if not clear:
        return (
            "We found no evidence that any programme helped or harmed, but the trials cannot show that the programmes"
            " have no effect"
        )
    named = [
        f"{discussion.names[row['study']]} on {lowered(row['label'])} (for the"
        f" {'better' if row['estimate'] > 0 else 'worse'})"
        for row in clear
    ]
    return (
        f"The clear results are those of {listed_words(named)}, out of {count(len(rows))} comparisons; test them again"
        " before acting on them"
    )


TABLES: Mapping[str, Callable[[Discussion], GT]] = {"effects": effects_table, "samples": samples, "pairs": pairs}
SENTENCES: Mapping[str, Callable[[Discussion], str]] = {
    "overview": overview,
    "largest": largest,
    "shared": shared,
    "compared": compared,
    "excluded": excluded,
    "fewer": fewer,
    "conclusion": conclusion,
}


def outcome_names(root: Path, study: str) -> dict[str, OutcomeName]:
    """The outcomes of a study's plan by key, subscales left out."""
    plan = plan_of(root, study)
    if isinstance(plan, ExperimentPlan):
        return {}  # what it compares are ways of which none is the better
    return {key: OutcomeName(label=o.label, better=o.better) for key, o in plan.outcomes.items() if o.role != _SUBSCALE}


def _compared_arms(root: Path, study: str) -> Mapping[str, str]:
    """The estimands that compare an arm with the control, and what to add to the outcome: the arm, where there are
    several.
    """
    plan = plan_of(root, study)
    if not isinstance(plan, IndividualPlan) or len(plan.offered) < 2:
        return {"itt": ""}
    return {estimand("itt", arm, plan.arms): f", {arm.label}" for arm in plan.offered}


def chapter(*, root: Path | None = None) -> Discussion:
    """Gather the standardised effects of every study below `.report/results/`; refuses if there is none (HhpError)."""
    home = root or find_root()
    frames, parts, studies = [], [], {}
    for entry in catalogue(home):
        study = entry.study
        file = home / FOLDER / study / "results.csv"
        if not file.is_file():
            continue
        frame, names = read_results(file), outcome_names(home, study)
        if not names:
            continue
        studies[study] = entry
        frames.append(frame)
        arms = _compared_arms(home, study)
        own = frame[frame["result_id"].str.endswith("/hedges-g") & frame["estimand"].isin(list(arms))]
        own = own[own["outcome"].isin(list(names)) & (own["status"] == "estimated")]
        turn = own["outcome"].map(lambda key, known=names: -1.0 if known[key].better == "lower" else 1.0)
        low, high = own["conf_low"] * turn, own["conf_high"] * turn
        parts.append(
            own.assign(
                label=[
                    names[outcome].label + arms[aim]
                    for outcome, aim in zip(own["outcome"], own["estimand"], strict=True)
                ],
                estimate=own["estimate"] * turn,
                conf_low=low.where(turn > 0, high),
                conf_high=high.where(turn > 0, low),
            )
        )
    if not parts or all(part.empty for part in parts):
        raise HhpError("no trial has results: run `hhp results` (or `make report`) first")
    return Discussion(
        root=home,
        studies=studies,
        results=pd.concat(frames, ignore_index=True),
        effects=pd.concat(parts, ignore_index=True),
        invented=frozenset(entry.study for entry in invented(home)),
    )

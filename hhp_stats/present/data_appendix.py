"""The data appendix: what arrived, what the checks found, what was accepted and corrected, what is missing or
withheld.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
from great_tables import GT
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from hhp_stats.disclosure.places import RESULTS
from hhp_stats.disclosure.public_counts import public_counts
from hhp_stats.errors import UnknownName
from hhp_stats.files.project_root import find_root
from hhp_stats.intake.dictionary import returns_planned
from hhp_stats.intake.masking import public_id
from hhp_stats.intake.raw_files import raw_files
from hhp_stats.intake.rules_table import FILE_OF_TABLE_RULES, SIZE_RULES, TABLE_RULES
from hhp_stats.intake.rules_table_waves import WAVE_RULES_OF_TABLES
from hhp_stats.plan.catalogue import catalogue, study_names
from hhp_stats.plan.disclosure import load_disclosure
from hhp_stats.present.chapter import StudyReport, open_study
from hhp_stats.present.embed import EmbeddedFigure, embed
from hhp_stats.present.marked_text import code_entry
from hhp_stats.present.marks import presented
from hhp_stats.present.numbers import WITHHELD, count, lowered, percent, plural, spelled, withheld, withheld_note
from hhp_stats.present.release import standing
from hhp_stats.present.status import read_release
from hhp_stats.present.style import GRID, INK, PAPER, QUIET, TINTS, TREATMENT, WIDTH, apply_style
from hhp_stats.present.tables import plain_table, text_table
from hhp_stats.studies.output import PEOPLE, open_output

DOCUMENT = "report/C-data.qmd"
WAVES = ("baseline", "interim", "endline")
SEVERITY = ("error", "warning", "note")
# Share missing above which a cell of the map has the next fill; the text of the darkest is in the paper's colour.
CLASSES = (
    (0.0, "none", "none", INK),
    (0.10, "up to 10%", GRID, INK),
    (0.50, "10% to 50%", TINTS[0], INK),
    (1.01, "over 50%", TREATMENT, PAPER),
)
TITLES = {
    "flow": "Participant flow",
    "uptake": "Taking part",
    "attrition": "Records by arm and authority",
    "attrition_wellbeing": "Response by baseline wellbeing",
    "balance": "Characteristics of the arms",
    "absence_distribution": "Days absent by class",
    "modules": "Modules completed",
    "strata": "Strata",
    "missingness": "Map of missing values",
    "linkage": "Linkage of survey responses",
    "balance_differences": "Characteristics of those analysed",
    "item_nonresponse": "Unanswered items",
    "reliability": "Internal consistency",
    "recall": "Recall",
    "clusters": "Buildings",
    "results": "Results",
    "inputs": "Files read",
    "interim": "Interim return",
    "score_distribution": "Distribution of scores",
    "chosen_per_person": "Candidates shortlisted",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DataAppendix:
    """The data of one run as they may be printed."""

    root: Path
    own: StudyReport | None  # the trial on returns, whose files most of it is about; None where there is none
    registers: Mapping[str, pd.DataFrame]  # by study: every place of a number of people, with the number or `WITHHELD`
    internal: bool

    @property
    def report(self) -> StudyReport:
        """The trial on returns."""
        if self.own is None:
            raise UnknownName("no study has returns: nothing of this part can be said")
        return self.own

    # ------------------------------------------------------------ what arrived
    def returns(self) -> GT:
        """Returns by authority and wave: staff listed, and the day on which the records were drawn."""
        inputs = self._inputs()
        found = {(row["local_authority"], row["wave"]): row for row in inputs.to_dict("records")}
        cells = [
            {"Local authority": site.local_authority}
            | {wave.capitalize(): self._return(found, site.local_authority, wave) for wave in WAVES}
            for site in self.report.plan.sites
        ]
        return plain_table(
            pd.DataFrame(cells),
            stub="Local authority",
            spanner=[wave.capitalize() for wave in WAVES],
            spanner_label="Return",
            notes=["Staff listed (day on which the authority drew the records)."],
        )

    @staticmethod
    def _return(found: Mapping[tuple[str, str], Mapping[Any, Any]], authority: str, wave: str) -> str:
        if (authority, wave) not in found:
            return "not received"
        row = found[authority, wave]
        return f"{count(row['rows'])} ({_day(str(row['retrieved']))})"

    def lists(self) -> GT:
        """All other files: lists of the trial team, surveys, ledger, plan and dictionary."""
        inputs = self._inputs()
        rest = inputs.loc[inputs["wave"] == ""]
        cells = pd.DataFrame({"File": rest["path"], "Rows": [count(rows) for rows in rest["rows"]]})
        return plain_table(cells, stub="File")

    def arrived(self) -> str:
        """How many files there are, and how complete the returns."""
        inputs = self._inputs()
        returns = int((inputs["wave"] != "").sum())
        due = len(WAVES) * len(self.report.plan.sites)
        whole = "one for each wave of each authority" if returns == due else f"{count(due)} were due"
        return f"{plural(len(inputs), 'file')} were read, {count(returns)} of them returns ({whole})."

    def manifest(self) -> str:
        """Are these the files of the release?"""
        found = standing(self.root)
        kind = "synthetic and real data in a" if found.mixed else f"a {'synthetic' if found.synthetic else 'real'}"
        return (
            f"The manifest describes {kind} release of {_day(read_release(self.root).date)}."
            " Every raw file of every study is there with the checksum that it records, and no raw file is read that"
            " it does not list: a study that finds otherwise is not analysed. Plans, dictionary, spellings and"
            " published figures are sources of this report and no raw files; the ledger of corrections is none either,"
            " but its recorded lines must stand as they were."
        )

    def studies(self) -> GT:
        """Study by study: what the data are, how many raw files were read, what the checks left, and how many
        corrections were applied.
        """
        release, known = read_release(self.root), set(raw_files(self.root))
        rows = []
        for entry in catalogue(self.root):
            tables = open_output(self.root, entry.study).tables
            raw = tables["inputs"].loc[tables["inputs"]["path"].isin(known)]
            codes = dict.fromkeys(str(code) for code in tables["problems"]["code"])
            rows.append(
                {
                    "Study": entry.name,
                    "Data": "synthetic" if release.is_synthetic(entry.study) else "real",
                    "Raw files": count(len(raw)),
                    "Warnings and notes": ", ".join(codes) or "none",
                    "Corrections": count(len(tables.get("corrections", ()))),
                }
            )
        return text_table(pd.DataFrame(rows), stub="Study", numeric=("Raw files", "Corrections"))

    @presented
    def table_rules(self) -> GT:
        """The rules for the plain table of a trial."""
        rules = (*FILE_OF_TABLE_RULES, *TABLE_RULES, *SIZE_RULES, *WAVE_RULES_OF_TABLES)
        cells = pd.DataFrame(
            {
                "Rule": [code_entry(rule.code, rule=True) for rule in rules],
                "Severity": [rule.severity for rule in rules],
                "What must hold": [rule.rule for rule in rules],
                "What to do": [rule.remedy for rule in rules],
            }
        )
        return text_table(cells, stub="Rule")

    def _inputs(self) -> pd.DataFrame:
        names = ["local_authority", "wave", "retrieved"]
        table = self.report.table("inputs")
        return table.assign(**{name: table[name].astype("object").fillna("") for name in names})

    # ------------------------------------------------------------ checks
    def fired(self) -> GT:
        """Rules that found something, with how often."""
        rules = self.report.table("rules")
        cells = pd.DataFrame(
            [
                {
                    "Rule": row["code"],
                    "What must hold": row["rule"],
                    "About": row["scope"],
                    "Severity": row["severity"],
                    "Entries": self._entries(row["fired"]),
                    "Files": count(row["files"]),
                }
                for severity in SEVERITY
                for row in rules.loc[_fired(rules) & (rules["severity"] == severity)].to_dict("records")
            ]
            or [
                {
                    "Rule": "None",
                    "What must hold": "No rule was broken.",
                    "About": "",
                    "Severity": "",
                    "Entries": "",
                    "Files": "",
                }
            ]
        )
        return text_table(
            cells,
            stub="Rule",
            numeric=("Entries", "Files"),
            notes=["An entry stands for one cell, or for all responses of one file that break the rule."],
        )

    def checks(self) -> str:
        """How many rules there are, and how many found something."""
        rules = self.report.table("rules")
        levels = [f"{count((rules['severity'] == level).sum())} {level}s" for level in SEVERITY]
        fired = rules.loc[_fired(rules)]
        found = [self._sum(fired.loc[fired["severity"] == level, "fired"], level) for level in SEVERITY[1:]]
        return (
            f"The files are checked against {count(len(rules))} rules: {levels[0]}, {levels[1]} and {levels[2]}. A file"
            " that breaks a rule of severity error is not analysed. In this run no error was left; the checks gave"
            f" {found[0]} and {found[1]}."
        )

    def _entries(self, fired: Any) -> str:
        return f"under {self.report.plan.disclosure.threshold}" if withheld(fired) else count(fired)

    @staticmethod
    def _sum(fired: pd.Series, level: str) -> str:
        """Entries in all; where a number of few is not told, that there are more than the others."""
        known = sum(int(n) for n in fired if not withheld(n))
        return f"more than {plural(known, level)}" if withheld(*fired) else plural(known, level)

    @presented
    def rules(self, *scopes: str) -> GT:
        """The rules about some kinds of files (all kinds where none is named)."""
        rules = self.report.table("rules")
        kept = rules.loc[rules["scope"].isin(scopes)] if scopes else rules
        cells = pd.DataFrame(
            {
                "Rule": [code_entry(str(code), rule=True) for code in kept["code"]],
                "Severity": kept["severity"],
                "What must hold": kept["rule"],
                "What to do": kept["remedy"],
            }
        )
        return text_table(cells, stub="Rule")

    def tolerances(self) -> GT:
        """Habits of typing that were accepted, by file and column."""
        table = self.report.table("tolerances")
        if not len(table):
            return text_table(pd.DataFrame([{"File": "None", "Column": "", "Habit": "", "Cells": ""}]), stub="File")
        groups = table.fillna({"field": ""})
        least = self.report.plan.disclosure.threshold
        cells = pd.DataFrame(
            {
                "File": [_short(path) for path in groups["file"]],
                "Column": groups["field"],
                "Habit": groups["habit"],
                "Cells": [f"under {least}" if withheld(n) else count(n) for n in groups["count"]],
            }
        )
        return text_table(cells, stub="File", numeric=("Cells",))

    # ------------------------------------------------------------ corrections
    def corrections(self) -> GT:
        """Corrections applied after the returns arrived: when and of which field; not whose, where, from what to
        what, or why.

        A reason is free text and may name somebody; authority and wave would lead to the person in a small team.
        """
        table = self.report.table("corrections")
        rows = [
            {
                "Correction": public_id(row["id"]),
                "Received": str(row["received_on"]),
                "Field": str(row["field"]),
                "Cells": "1",
            }
            for row in table.to_dict("records")
        ]
        nothing = {"Correction": "None", "Received": "", "Field": "", "Cells": ""}
        return text_table(pd.DataFrame(rows or [nothing]), stub="Correction")

    def corrected(self) -> str:
        """How many corrections were applied."""
        number = len(self.report.table("corrections"))
        if not number:
            return "The ledger of corrections is empty: every value is the one that the authority sent."
        return (
            f"{plural(number, 'correction was', 'corrections were')} applied; only the ledger has the values,"
            " people and"
            " reasons."
        )

    # ------------------------------------------------------------ linkage
    def linkage(self) -> GT:
        """What became of the responses to each survey."""
        table = self._linkage()
        steps = {
            "responses": "Responses received",
            "consented": "With consent",
            "duplicates": "Set aside: another response of the same person counts",
            "used": "Used",
            "matched": "Matched to staff",
            "unmatched": "Code missing or unknown",
        }
        cells = pd.DataFrame(
            [
                {"Responses": label}
                | {f"{wave.capitalize()} survey": count(table.loc[wave, name]) for wave in table.index}
                for name, label in steps.items()
            ]
        )
        return plain_table(cells, stub="Responses", notes=withheld_note(table))

    def matched(self) -> str:
        """The match rate of each survey, as far as it may be told."""
        table = self._linkage()
        told = [(wave, row) for wave, row in table.iterrows() if not withheld(row["matched"], row["used"])]
        if not told:
            return (
                "How many responses could be matched to a member of staff is withheld: with other numbers, it would"
                " give away a count of very few people."
            )
        rates = [
            f"{percent(row['matched'] / row['used']) if row['used'] else 'none'} of the responses used at {wave}"
            for wave, row in told
        ]
        return f"Matched to a member of staff: {' and '.join(rates)}."

    def response(self) -> GT:
        """Answers matched to randomised staff, by arm and authority."""
        table = self.report.table("attrition")
        kinds = {"arm": "Arm", "authority": "Local authority"}
        cells = pd.DataFrame(
            [
                {"Group": row["label"], "of": kinds[row["kind"]], "Staff": count(row["people"])}
                | {
                    wave: _of(row["people"], row[column])
                    for wave, column in (("Baseline survey", "baseline_survey"), ("Endline survey", "endline_survey"))
                }
                for row in table.to_dict("records")
            ]
        )
        return plain_table(
            cells,
            stub="Group",
            groups="of",
            spanner=["Baseline survey", "Endline survey"],
            spanner_label="Matched, with an answer",
            notes=withheld_note(table[["people", "baseline_survey", "endline_survey"]]),
        )

    def _linkage(self) -> pd.DataFrame:
        """Sums over the groups by wave; what is withheld is marked in a wave's first row."""
        table = self.report.table("linkage")
        names = ["responses", "consented", "duplicates", "used", "matched", "unmatched"]
        rows = {
            str(wave): {name: WITHHELD if withheld(*part[name]) else int(part[name].sum()) for name in names}
            for wave, part in table.groupby("wave", sort=False)
        }
        return pd.DataFrame.from_dict(rows, orient="index", columns=names).astype(object)

    # ------------------------------------------------------------ missing values
    def missingness(self) -> EmbeddedFigure:
        """Share of the randomised who lack each variable, by arm and authority, as a map."""
        table = self.report.table("missingness")
        shares = table.assign(
            share=[
                (
                    WITHHELD
                    if withheld(row["missing"], row["people"])
                    else row["missing"] / row["people"]
                    if row["people"]
                    else float("nan")
                )
                for row in table.to_dict("records")
            ]
        )
        grid = shares.pivot_table(index="label", columns="group", values="share", aggfunc="first", sort=False)
        grid = grid.loc[list(dict.fromkeys(table["label"])), list(dict.fromkeys(table["group"]))]
        arms = list(self.report.plan.design.arm_labels.values())
        mark = "".join(f". {note}" for note in withheld_note(grid))
        return embed(
            _heat_map(grid, arms=len(arms)),
            root=self.report.root,
            document=self.report.document,
            label="c-missingness",
            conclusion=_most_missing(shares),
            alt=f"Map of the share of randomised staff without a value. {_map_in_words(grid, arms)}",
            caption=f"Share of randomised staff without a value, by arm and local authority{mark.rstrip('.')}",
        )

    def items(self, wave: str) -> GT:
        """How completely the scales of one survey were answered by those who answered it at all."""
        table = self.report.table("item_nonresponse")
        part = table.loc[table["wave"] == wave]
        cells = pd.DataFrame(
            {
                "Scale": part["label"],
                "Items": [count(n) for n in part["items"]],
                "Answers missing": [_in_whole_percent(share) for share in part["missing_share"]],
            }
        )
        return plain_table(
            cells,
            stub="Scale",
            notes=[
                f"Of the answers of the {count(part['respondents'].iloc[0])} randomised staff who answered the {wave}"
                " survey."
            ],
        )

    # ------------------------------------------------------------ withheld counts
    def withheld(self) -> str:
        """How many counts are withheld, by which rule."""
        settings = load_disclosure(self.root, next(iter(self.registers)) if self.own is None else self.own.plan.study)
        rule = (
            "Counts of people below"
            f" {spelled(settings.threshold)}{', zero included,' if settings.zeros == 'withheld' else ' but above zero'}"
            " are not printed, nor are counts and shares from which one of them could be worked out."
        )
        if self.internal:
            return f"{rule} In this render the rule is switched off."
        gone = self._gone()
        cells = int((gone["table"] != RESULTS).sum())
        rows = gone.loc[gone["table"] == RESULTS, "row"].nunique()
        undefended = sum(int((register["table"] == "undefended").sum()) for register in self.registers.values())
        told = (
            f" {plural(undefended, 'count', 'counts')} could not be kept from a reader who compares with the last"
            " release, or with what documents of the programme printed."
            if undefended
            else ""
        )
        return (
            f"{rule} In this run {plural(cells, 'cell is', 'cells are')} withheld in the tables of all studies, marked"
            f" {WITHHELD}, and {plural(rows, 'result', 'results')} have no number of people, or no number at all.{told}"
        )

    def suppressed(self) -> GT:
        """The register: which counts were withheld. Not which of them are small: that could tell more than is meant."""
        return self._register([self.report.plan.study])

    def elsewhere(self) -> GT:
        """The register of the other chapters."""
        own = None if self.own is None else self.own.plan.study
        return self._register([study for study in self.registers if study != own])

    def _gone(self) -> pd.DataFrame:
        parts = [
            register.loc[register["people"] == WITHHELD].assign(study=study)
            for study, register in self.registers.items()
        ]
        return pd.concat(parts, ignore_index=True)

    def _register(self, studies: Sequence[str]) -> GT:
        gone, names = self._gone(), study_names(self.root)
        gone = gone.loc[gone["study"].isin(studies)].drop_duplicates(["study", "table", "row", "column"])
        cells = pd.DataFrame(
            {
                "Study": [names[study] for study in gone["study"]],
                "Table": [TITLES.get(name, name.replace("_", " ").capitalize()) for name in gone["table"]],
                "Row": [
                    row if table == RESULTS else row.replace("_", " ")
                    for row, table in zip(gone["row"], gone["table"], strict=True)
                ],
                "Count": [column.replace("_", " ") for column in gone["column"]],
            }
        )
        if not len(cells):
            cells = pd.DataFrame([{"Study": "None", "Table": "", "Row": "", "Count": ""}])
        shown = cells.sort_values(["Study", "Table", "Row", "Count"], kind="stable")
        return text_table(
            shown if len(studies) > 1 else shown.drop(columns="Study"), stub="Study" if len(studies) > 1 else "Table"
        )

    def public(self) -> str:
        """Which small counts are printed nevertheless: those that documents have printed before."""
        found: list[str] = []
        for study in self.registers:
            if load_disclosure(self.root, study).rule == "printed before":
                rows = open_output(self.root, study).results
                small = rows.loc[
                    rows["estimate"].between(1, load_disclosure(self.root, study).threshold - 1), "result_id"
                ]
                figures = public_counts(self.root, rows)
                found += [figures[key] for key in small if key in figures]
        if not found:
            return "No small count is printed."
        return (
            f"The chapters of the pilots print {plural(len(found), 'small count')}, each of which the documents of the"
            f" programme have printed before ({', '.join(dict.fromkeys(found))}): nothing new is told. A small count"
            " without such a figure is withheld."
        )


def _fired(rules: pd.DataFrame) -> pd.Series:
    """Which rules found something, however little."""
    return pd.Series([withheld(n) or n > 0 for n in rules["fired"]], index=rules.index)


def _in_whole_percent(share: Any) -> str:
    """A share so rounded that no count of people follows from it."""
    value = float(share)
    return "none" if value == 0 else "under 1%" if value < 0.01 else percent(value, 0)


def _day(text: str) -> str:
    """`2 May 2019` from an ISO date; a date that could not be read is said."""
    if not text:
        return "no date"
    day = dt.date.fromisoformat(text)
    return f"{day.day} {day:%B %Y}"


def _short(path: str) -> str:
    """A file as readers know it: authority and wave, or the name of the survey."""
    parts = path.rsplit(".", 1)[0].split("/")
    kind = "survey" if "surveys" in parts else "return"
    if kind == "return" and "returns" in parts:
        return f"{parts[-2].replace('-', ' ').title().replace(' And ', ' and ')}, {parts[-1]}"
    return f"Survey, {parts[-1]}" if kind == "survey" else path


def _of(people: Any, share: Any) -> str:
    """Count and share in one cell; both go where either is withheld."""
    if withheld(people, share):
        return WITHHELD
    return f"{count(round(people * share))} ({percent(share, 0)})" if not pd.isna(share) else count(0)


def _heat_map(grid: pd.DataFrame, *, arms: int) -> Figure:
    """Cells filled by class of share and labelled with it; arms stand apart from authorities."""
    apply_style()
    figure, axes = plt.subplots(figsize=(WIDTH, 1.7 + 0.27 * len(grid)))
    gap = 0.25
    centres = [column + (gap if column >= arms else 0) for column in range(grid.shape[1])]
    for line, (_, row) in enumerate(grid.iterrows()):
        for x, share in zip(centres, row, strict=True):
            fill, ink, text = _look(share)
            axes.add_patch(
                Rectangle((x - 0.48, line - 0.46), 0.96, 0.92, facecolor=fill, edgecolor=GRID, linewidth=0.6)
            )
            axes.text(x, line, text, ha="center", va="center", fontsize=7.5, color=ink)
    axes.set_xlim(-0.6, centres[-1] + 0.6)
    axes.set_ylim(len(grid) - 0.4, -0.6)
    axes.set_xticks(
        centres, [str(name) for name in grid.columns], rotation=40, ha="left", rotation_mode="anchor", fontsize=8
    )
    axes.xaxis.tick_top()
    axes.set_yticks(range(len(grid)), [str(name) for name in grid.index], fontsize=8)
    axes.tick_params(length=0)
    for side in ("left", "right", "top", "bottom"):
        axes.spines[side].set_visible(False)
    handles = [Patch(facecolor=fill, edgecolor=QUIET, linewidth=0.6, label=label) for _, label, fill, _ in CLASSES]
    figure.legend(
        handles=handles,
        loc="outside lower center",
        ncols=len(CLASSES),
        fontsize=8,
        title="Share missing",
        title_fontsize=8,
    )
    return figure


def _look(share: Any) -> tuple[str, str, str]:
    """Fill, colour of the text, and text of one cell."""
    if withheld(share):
        return "none", QUIET, WITHHELD
    value = float(share)
    if pd.isna(value):
        return "none", QUIET, ""
    _, _, fill, ink = next(each for each in CLASSES if value <= each[0])
    return fill, ink, "0" if value == 0 else percent(value, 0) if value >= 0.005 else "< 1%"


def _most_missing(shares: pd.DataFrame) -> str:
    """Which variable is missing most often, and where; `shares` has `label`, `group` and `share` or its mark."""
    known = [row for row in shares.to_dict("records") if not withheld(row["share"]) and not pd.isna(row["share"])]
    if not known:
        return "No share may be shown"
    most = max(known, key=lambda row: float(row["share"]))
    return f"Missing most often: {lowered(most['label'])}, for {percent(most['share'], 0)} in {most['group']}"


def _map_in_words(grid: pd.DataFrame, arms: Sequence[str]) -> str:
    """Variables complete everywhere together; the others with both arms and the range over authorities."""
    complete, sentences = [], []
    for label, row in grid.iterrows():
        if all(not withheld(share) and share == 0 for share in row):
            complete.append(str(label))
            continue
        by_arm = ", ".join(f"{percent(row[arm], 0)} of {lowered(arm)}" for arm in arms)
        others: Mapping[str, Any] = {str(name): share for name, share in row.items() if name not in arms}
        known = {name: float(share) for name, share in others.items() if not withheld(share) and not pd.isna(share)}
        spread = ""
        if known:
            low, high = min(known, key=lambda name: known[name]), max(known, key=lambda name: known[name])
            spread = f"; by authority {percent(known[low], 0)} ({low}) to {percent(known[high], 0)} ({high})"
        hidden = sum(withheld(share) for share in others.values())
        spread += f"; withheld for {plural(hidden, 'authority', 'authorities')}" if hidden else ""
        sentences.append(f"{label}: {by_arm}{spread}.")
    lead = f"Complete in every group: {', '.join(lowered(label) for label in complete)}. " if complete else ""
    return lead + " ".join(sentences)


def data_appendix(*, root: Path | None = None) -> DataAppendix:
    """Open the data appendix: the files of the trial on returns, if there is one, and the withheld counts of all
    studies.
    """
    home = root or find_root()
    with_returns = [entry.study for entry in catalogue(home) if returns_planned(home, entry.study)]
    own = open_study(with_returns[0], document=DOCUMENT, root=home) if with_returns else None
    registers = {entry.study: open_output(home, entry.study).tables[PEOPLE].astype("str") for entry in catalogue(home)}
    return DataAppendix(root=home, own=own, registers=registers, internal=read_release(home).internal)

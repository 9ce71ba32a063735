"""The short form of a plan: what a plain table, its dictionary and `[model]` leave unsaid becomes the same records as
elsewhere.

A plan with the table `[data]` names arms, outcomes and columns. Here arms get their codes, waves become outcomes, and
terms take their kinds from the dictionary; `plan.table_analyses` makes the analyses.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from hhp_stats.errors import PlanError
from hhp_stats.plan.individual_schema import Arm, IndividualDesign, IndividualOutcome, PlannedTerm
from hhp_stats.plan.nearest import meant
from hhp_stats.plan.schema import Population
from hhp_stats.plan.table_schema import ARM, TERM_KINDS, DataTable, TableColumn, Words

BASELINE, BASELINE_MISSING, RESPONSE = "baseline", "baseline_missing", "response"
RANDOMISED = "randomised"
CONTROL, TREATMENT = "control", "treatment"  # the arms of a result, whatever the plan calls them
CLUSTER_TRIAL, INDIVIDUAL_TRIAL = "cluster trial", "individual trial"
FOLDER, ENDINGS = "data/tables", ("csv", "xlsx", "ods", "sav")
NOT_KNOWN = "not known"  # the level of those whose category is not known


def named_arms(file: str, arms: Sequence[Arm]) -> tuple[tuple[Arm, ...], dict[str, str]]:
    """The arms with their codes and the ids that results use, and those ids by the plan's.

    The first is `control`; of two the other is `treatment`, of more each keeps its id. Refuses fewer than two, ids that
    cannot be part of a result's name, and values that stand twice.
    """
    if len(arms) < 2:
        raise PlanError(
            file, "arms", f"are {len(arms)}; a trial compares two or more.", "Add [[arms]], the control first."
        )
    ids: dict[str, str] = {}
    for place, arm in enumerate(arms):
        own = re.sub(r"[^a-z0-9]+", "_", arm.id.casefold()).strip("_")
        if place == 0 or len(arms) == 2:
            own = TREATMENT if place else CONTROL
        if not own or own in ids.values():
            raise PlanError(
                file, f"arms {arm.id}", "has no id of its own.", "Use letters and digits, not those of another arm."
            )
        ids[arm.id] = own
    found = tuple(
        replace(arm, id=ids[arm.id], code=place, value=written(arm.id if arm.value == "" else arm.value))
        for place, arm in enumerate(arms)
    )
    values = [arm.value for arm in found]
    if len(set(values)) < len(values):
        raise PlanError(
            file, "arms", f"share a value ({', '.join(map(str, values))}).", "Write each as the table has it."
        )
    return found, ids


def written(value: str | int | float) -> str:
    """A value of the plan as a text of the table: whole numbers without a fraction."""
    return f"{value:.12g}" if isinstance(value, int | float) else value


def contrast_by_result(text: str, ids: Mapping[str, str]) -> str:
    """A contrast of arms of the plan ("a minus b") by the ids that results use; other words as they are."""
    names = text.split(" minus ")
    return " minus ".join(ids[name] for name in names) if len(names) == 2 and set(names) <= set(ids) else text


def design_in_words(design: IndividualDesign, words: Words) -> IndividualDesign:
    """The design with its kind and unit in words, where the plan gives none."""
    kind = design.kind or (CLUSTER_TRIAL if design.cluster else INDIVIDUAL_TRIAL)
    return replace(design, kind=kind, unit=design.unit or (words.cluster if design.cluster else words.person)[0])


def populations_of(given: Mapping[str, Population], words: Words) -> dict[str, Population]:
    """The plan's populations, with everyone randomised first."""
    everyone = Population(id=RANDOMISED, label=f"All {words.person[1]} randomised", rule="in the table")
    return {RANDOMISED: everyone} | dict(given)


def outcomes_of(
    file: str, given: Mapping[str, IndividualOutcome], columns: Mapping[str, TableColumn], waves: Mapping[str, str]
) -> dict[str, IndividualOutcome]:
    """Every outcome by wave: that of the primary wave under its own id, the others as `<id>_<wave>`, and response to
    the primary one.
    """
    found: dict[str, IndividualOutcome] = {}
    for outcome in given.values():
        for made in _by_wave(file, outcome, columns, waves):
            if made.id in found:
                raise PlanError(file, f"outcomes {made.id}", "stands twice, once as a wave.", "Call one otherwise.")
            found[made.id] = made
    if RESPONSE in found:
        raise PlanError(
            file, f"outcomes {RESPONSE}", "is the plan's own word for a known primary outcome.", "Call it otherwise."
        )
    known = IndividualOutcome(
        id=RESPONSE,
        label="Primary outcome known",
        role="secondary",
        unit="probability",
        kind="binary",
        better="higher",
        column="responded",
        range=(0.0, 1.0),
    )
    return found | {RESPONSE: known}


def _by_wave(
    file: str, outcome: IndividualOutcome, columns: Mapping[str, TableColumn], waves: Mapping[str, str]
) -> list[IndividualOutcome]:
    place = f"outcomes {outcome.id}"
    if outcome.scales or outcome.combine != "scale" or outcome.reference:
        raise PlanError(file, place, "is scored from a survey, which a plain table has not.", "Give column or waves.")
    if bool(outcome.column) == bool(outcome.waves):
        raise PlanError(
            file,
            place,
            "has both column and waves, or neither.",
            "Give column (and baseline), or waves = { baseline = ..., ... } with a column for each wave.",
        )
    follow_up = {wave: column for wave, column in outcome.waves.items() if wave != BASELINE} or {"": outcome.column}
    if outcome.waves and "" in follow_up:
        raise PlanError(file, place, "has no wave after the baseline.", "Add one to waves.")
    before = outcome.waves.get(BASELINE, "") or outcome.baseline
    primary = outcome.primary_wave or list(follow_up)[-1]
    if primary not in follow_up:
        raise PlanError(
            file,
            place,
            f"has the primary wave {primary!r}.",
            f"{meant(primary, follow_up)}Use one of its waves: {', '.join(follow_up)}.",
        )
    for column in filter(None, (*follow_up.values(), before)):
        _measure(file, place, column, outcome, columns)
    if outcome.range and (len(outcome.range) != 2 or not outcome.range[0] < outcome.range[1]):
        raise PlanError(file, place, f"has the range {list(outcome.range)}.", "Write its two ends, the lower first.")
    found = []
    for wave in sorted(follow_up, key=lambda each: each != primary):
        column = follow_up[wave]
        unit = (
            outcome.unit
            or columns[column].unit
            or ("probability" if outcome.kind == "binary" else "units of the table")
        )
        # Limits of the dictionary say what is plausible: the ends of a scale are another thing, and the plan's to give.
        ends = (0.0, 1.0) if outcome.kind == "binary" else outcome.range
        label = outcome.label if wave == primary else f"{outcome.label}, {waves.get(wave, wave.replace('_', ' '))}"
        found.append(
            replace(
                outcome,
                id=outcome.id if wave == primary else f"{outcome.id}_{wave}",
                label=label,
                unit=unit,
                range=ends,
                role=outcome.role if wave == primary else "secondary",
                margin=outcome.margin if wave == primary else None,
                construct=outcome.construct if wave == primary else "",  # trials are compared on one wave of each
                column=column,
                baseline=before,
                waves={},
                primary_wave=wave,
            )
        )
    return found


def _measure(
    file: str, place: str, column: str, outcome: IndividualOutcome, columns: Mapping[str, TableColumn]
) -> None:
    described(file, place, column, columns)
    wanted = ("0/1",) if outcome.kind == "binary" else ("number", "0/1")
    if columns[column].kind not in wanted:
        raise PlanError(
            file,
            place,
            f"is {outcome.kind}, but its column {column!r} is of kind {columns[column].kind}.",
            f"Make the column of kind {' or '.join(wanted)} in the dictionary, or change the outcome's kind; what is"
            " written in words may count as numbers: under allowed no|yes of kind 0/1, low=1|medium=2|high=3 of kind"
            " number.",
        )


def described(file: str, place: str, column: str, columns: Mapping[str, TableColumn]) -> None:
    """Refuses a column that the dictionary does not describe."""
    if column not in columns:
        raise PlanError(
            file,
            place,
            f"names the column {column!r}, which the dictionary does not describe.",
            f"{meant(column, columns)}Add a line to the dictionary, or use one of: {', '.join(columns)}.",
        )


def terms_of(columns: Mapping[str, TableColumn]) -> dict[str, PlannedTerm]:
    """Every column that may be a covariate, with the kind that the dictionary gives it, and the outcome's own baseline.

    Zeros and ones enter as numbers: where one is not known the mean takes its place.
    """
    found = {
        BASELINE: PlannedTerm(column=BASELINE, kind="continuous"),
        BASELINE_MISSING: PlannedTerm(column=BASELINE_MISSING, kind="binary"),
    }
    for column in columns.values():
        kind = TERM_KINDS.get(column.kind)
        if kind is None:
            continue
        levels = (*column.allowed, NOT_KNOWN) if column.allowed else ()
        found[column.column] = PlannedTerm(
            column=column.column,
            kind="continuous" if kind == "binary" else kind,
            levels=levels,
            base=levels[0] if levels else "",
        )
    return found


def with_dictionary(
    file: str, study: str, data: DataTable, columns: Mapping[str, TableColumn], design: IndividualDesign
) -> None:
    """Refuses a table whose arm, person, clusters or strata the dictionary does not describe as such, and headings of
    unknown columns.
    """
    folder, _, name = data.file.rpartition("/")
    stem, _, ending = name.rpartition(".")
    if folder != FOLDER or stem != study or ending not in ENDINGS:
        raise PlanError(
            file,
            "data",
            f"has the file {data.file!r}.",
            f"Put it under {FOLDER}/{study}.csv (or {', '.join(ENDINGS[1:])}), as a raw file of this study.",
        )
    described(file, "data", ARM, columns)
    wanted: dict[str, tuple[str, ...]] = {ARM: ("arm",)}
    if data.person:
        wanted[data.person] = ("identifier",)
    if design.cluster:
        wanted[design.cluster] = ("cluster",)
    if design.takeup:
        wanted[design.takeup] = ("0/1",)
    wanted |= dict.fromkeys(design.strata, ("category", "cluster", "0/1"))
    for column, kinds in wanted.items():
        place = "data" if column in (ARM, data.person) else "design"
        described(file, place, column, columns)
        if columns[column].kind not in kinds:
            raise PlanError(
                file,
                place,
                f"needs the column {column!r} of kind {' or '.join(kinds)}; it is {columns[column].kind}.",
                "Change its kind in the dictionary.",
            )
    others = [each.column for each in columns.values() if each.kind == "arm" and each.column != ARM]
    if others:
        raise PlanError(file, "data", f"has a second column of kind arm, {others[0]!r}.", "Keep one, called arm.")
    for column in data.columns:
        if column not in columns:
            raise PlanError(
                file,
                "data.columns",
                f"names {column!r}, which the dictionary does not describe.",
                f"{meant(column, columns)}The plan's names stand left, the file's headings right.",
            )
    wrong = {CLUSTER_TRIAL: not design.cluster, INDIVIDUAL_TRIAL: bool(design.cluster)}.get(design.kind, False)
    if wrong:
        said = "names no cluster" if design.kind == CLUSTER_TRIAL else f"names the cluster {design.cluster!r}"
        raise PlanError(
            file,
            "design",
            f"is of kind {design.kind!r} and {said}.",
            "Give cluster the column of the groups that were drawn whole, or change the kind.",
        )
    if design.clusters is not None and not design.cluster:
        raise PlanError(
            file, "design", "gives a number of clusters and no cluster.", "Name their column under cluster."
        )
    if design.within:
        raise PlanError(
            file, "design", "has within, which needs a list of blocks.", 'Write strata = ["column"] for a plain table.'
        )

"""Figures of what stands in tables as well: who took part, who left, what it saved and cost."""

from __future__ import annotations

from hhp_stats.present.bars import bars_in_words, labelled_bars
from hhp_stats.present.chapter import StudyReport
from hhp_stats.present.embed import EmbeddedFigure, embed
from hhp_stats.present.goal_setting.named import figure
from hhp_stats.present.numbers import count, number, percent, plural, withheld, withheld_note
from hhp_stats.present.style import CONTROL, INK, TREATMENT
from hhp_stats.results.frame import LACKING, UnknownResult


@figure
def module_take_up(report: StudyReport) -> EmbeddedFigure:
    """How many modules those completed who started the course."""
    table = report.table("modules")
    rows = table.to_dict("records")
    labels = [f"{row['modules']} modules" if row["modules"] != 1 else "1 module" for row in rows]
    words = [
        count(row["people"]) if withheld(row["people"]) else f"{count(row['people'])} ({percent(row['share'], 0)})"
        for row in rows
    ]
    first, last = rows[0], rows[-1]
    ends = f"{percent(first['share'], 0)} completed none and {percent(last['share'], 0)} all {last['modules']}"
    return embed(
        lambda width: labelled_bars(
            labels,
            [row["people"] for row in rows],
            words=words,
            unit="People who started the course",
            width=width,
        ),
        root=report.root,
        document=report.document,
        label="gs-module-take-up",
        conclusion=f"Of those who started the course, {ends}",
        alt=f"Bars of people by modules completed. {bars_in_words(labels, words)}.",
        caption=". ".join(
            [
                f"Modules completed by those who started the course: {ends}",
                *(n.rstrip(".") for n in withheld_note(table)),
            ]
        ),
    )


@figure
def leavers(report: StudyReport) -> EmbeddedFigure:
    """Share of each group that left within the follow-up."""
    arms = report.plan.design.arm_labels
    rows = {arm: report.row(f"turnover/mean_{arm}/raw") for arm in arms}
    for row in rows.values():
        if row["status"] in LACKING:
            raise UnknownResult(f"{row['result_id']} has no number that may be drawn")
    shares = {arm: row["estimate"] for arm, row in rows.items()}
    words = [f"{percent(shares[arm])} of {plural(rows[arm]['n'], 'person', 'people')}" for arm in arms]
    said = " and ".join(f"{percent(shares[arm])} of the {arms[arm].lower()} group" for arm in arms)
    return embed(
        lambda width: labelled_bars(
            list(arms.values()),
            [100 * share for share in shares.values()],
            words=words,
            unit=f"% who left within {report.plan.design.endline_weeks} weeks",
            colours=[CONTROL if arm == "control" else TREATMENT for arm in arms],
            most=100,
            width=width,
        ),
        root=report.root,
        document=report.document,
        label="gs-leavers",
        conclusion=f"{said} left",
        alt=f"Bars of the share that left, by group, without adjustment. {said}.",
        caption=f"Leaving by group: {said} left, without adjustment",
    )


@figure
def savings_and_costs(report: StudyReport) -> EmbeddedFigure:
    """Money saved and spent for each person offered the programme, by scenario of its cost."""
    rows = report.table("cost_parts").to_dict("records")
    saved = rows[0]  # what is saved is the same whatever the programme costs
    labels = ["Saved: less absence", "Saved: less turnover", *(f"Spent: {row['label'].lower()}" for row in rows)]
    values = [saved["absence"], saved["turnover"], *(row["cost"] for row in rows)]
    words = [f"£{number(value, 0)}" for value in values]
    both = number(saved["absence"] + saved["turnover"], 0)
    spent = f"£{number(min(row['cost'] for row in rows), 0)} to £{number(max(row['cost'] for row in rows), 0)}"
    conclusion = f"By the estimates alone, £{both} is saved and {spent} spent for each person offered the programme"
    return embed(
        lambda width: labelled_bars(
            labels,
            values,
            words=words,
            unit="£ for each person offered the programme",
            colours=[TREATMENT] * 2 + [INK] * len(rows),
            width=width,
        ),
        root=report.root,
        document=report.document,
        label="gs-savings-and-costs",
        conclusion=conclusion,
        alt=f"Bars of £ a person. {bars_in_words(labels, words)}.",
        caption=f"Savings and costs. {conclusion}, according to how its cost is counted",
    )

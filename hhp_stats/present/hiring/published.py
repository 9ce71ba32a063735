"""What the published report says of the hiring experiments, set against rows: sentences for readers without
statistics.
"""

from __future__ import annotations

from hhp_stats.consistency.granularity import grim
from hhp_stats.consistency.ledger import read_lists
from hhp_stats.consistency.reproduction import share_reproduced
from hhp_stats.present.hiring.report import GROUP, HiringReport
from hhp_stats.present.numbers import count, number, p_value, percent, plural, spelled

RATES = ("DIVJ-JME", "DIVJ-SME", "DIVJ-JWB", "DIVJ-SWB")


def impossible_error(report: HiringReport) -> str:
    """Why .49 is no standard error."""
    ours = [
        report.result("progression", f"mean_{cell.id}")["std_error"] for cell in report.plan.cells_of("progression")
    ]
    return (
        f"The report gives the same standard error, {report.printed('DIVJ-JME-SE')}, for all four rates. In"
        " data with the"
        f" published rates, the four standard errors are between {number(min(ours), 1)} and"
        f" {number(max(ours), 1)} percentage points, and no two are the same."
    )


def lattice(report: HiringReport) -> str:
    """Which even splits could give the printed rates if all decisions had been made."""
    people = report.count("progression", "participants")
    fits = {key: [n for n in range(1, people) if _possible(report, key, 5 * n)] for key in RATES}
    whole = [
        n
        for n in range(1, people)
        if n in fits["DIVJ-JME"]
        and n in fits["DIVJ-JWB"]
        and people - n in fits["DIVJ-SME"]
        and people - n in fits["DIVJ-SWB"]
    ]
    joint = [
        n for n in range(1, people) if n in fits["DIVJ-JME"] and n in fits["DIVJ-JWB"] and abs(n - people / 2) < 30
    ]
    near = (
        f"; near an even split only {' or '.join(map(str, joint))} people in pairs would give the two rates of that"
        " condition"
        if joint
        else ""
    )
    found = (
        "no split of the participants gives"
        if not whole
        else f"{plural(len(whole), 'split')} of the participants would give"
    )
    return (
        "A rate is a whole number of decisions divided by another. If everyone had judged all ten applications, five"
        f" with each kind of name, {found} the four published rates{near}. A few unanswered decisions would explain"
        " them, and that is how the files used here were made."
    )


def _possible(report: HiringReport, key: str, decisions: int) -> bool:
    figure = report.published().printed(f"{key}-M")
    return grim(mean=figure.value / 100, n=decisions, margin=figure.margin / 100)


def quarter(report: HiringReport) -> str:
    """What the printed group sizes could be."""
    sizes = report.table("name_sets")["people"].tolist()
    return (
        f"The report gives group sizes of {report.printed('DIVJ-JME-N')} and {report.printed('DIVJ-SME-N')}, about half"
        " the number of people in each condition. They fit the four groups formed by condition and combination"
        " of names,"
        f" here of {', '.join(map(str, sizes[:-1]))} and {sizes[-1]} people."
    )


def literal_scores(report: HiringReport) -> str:
    """What the printed errors of experiment 2 would mean."""
    implied = [
        float(report.published().printed(f"{key}-SE").value) * float(report.published().row(f"{key}-N")["value"]) ** 0.5
        for key in ("DIVB-B", "DIVB-ME", "DIVB-WB")
    ]
    experiment = report.plan.experiments["evaluation_score"]
    return (
        f"As standard errors, {report.printed('DIVB-B-SE')}, {report.printed('DIVB-ME-SE')} and"
        f" {report.printed('DIVB-WB-SE')} would mean standard deviations of {number(min(implied), 0)} to"
        f" {number(max(implied), 0)} points on a scale that is {number(experiment.high - experiment.low, 0)} points"
        " long. Read as standard deviations they are plausible, and whole scores with these means and standard"
        " deviations are possible."
    )


def printed_p(report: HiringReport) -> str:
    """The printed p-values of experiment 2 against both methods."""
    parts = []
    for contrast, key in (
        ("blinded_vs_minority", "DIVB-B-ME-P"),
        ("blinded_vs_white_british", "DIVB-B-WB-P"),
        ("minority_vs_white_british", "DIVB-ME-WB-P"),
    ):
        welch, pooled = (
            report.result("evaluation_score", contrast, method)["p_value"] for method in ("welch", "pooled")
        )
        parts.append(
            f"{p_value(float(report.published().printed(key).value))} (here {p_value(welch)} by Welch's test,"
            f" {p_value(pooled)} with one variance)"
        )
    return f"The published p-values are {'; '.join(parts)}."


def reproduced(report: HiringReport) -> str:
    """How many printed figures come back."""
    table = report.reproduction(GROUP)
    same, all_of = share_reproduced(table)
    otherwise = int((table["matches"] & table["published_id"].isin(list(read_lists(report.root).readings))).sum())
    return (
        f"We could compare {count(all_of)} published figures of the two experiments with ours; {count(same)}"
        f" ({percent(same / all_of, 0)}) match, {spelled(otherwise)} of them only if they are read in another way than"
        " the text says."
    )
